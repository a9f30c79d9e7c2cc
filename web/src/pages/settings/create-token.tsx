import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '../../api/client.js';
import type { IssuedToken, Role } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { Dialog } from '../../components/dialog.js';
import { Field } from '../../components/field.js';
import { Failed } from '../../components/page.js';
import { CopyButton } from '../../components/values.js';

interface CreateTokenProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

const ROLES: [Role, string][] = [
  ['viewer', 'viewer: sees everything, changes nothing'],
  ['operator', 'operator: also runs, cancels, resumes, stops'],
  ['admin', 'admin: also targets, tokens, deletes artifacts'],
  ['worker', 'worker: attaches a worker, nothing else'],
];

export function CreateToken({ open, onOpenChange }: CreateTokenProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Create token">
      {open && <Form onClose={() => onOpenChange(false)} />}
    </Dialog>
  );
}

function Form({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [days, setDays] = useState('90');
  const [made, setMade] = useState<IssuedToken>();
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const queries = useQueryClient();

  const submit = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const expiresInDays = Number(days);
      setMade(
        await post('/tokens', { name: name.trim(), role, ...(expiresInDays > 0 && { expiresInDays }) }),
      );
      void queries.invalidateQueries({ queryKey: ['tokens'] });
    } catch (caught) {
      setError(caught as Error);
    } finally {
      setBusy(false);
    }
  };

  if (made) {
    return (
      <div className="stack">
        <p>
          This is the token of <strong>{made.name}</strong>. It is shown this once and stored only as a hash:
          copy it now.
        </p>
        <div className="token-box">
          <code>{made.token}</code>
          <CopyButton text={made.token} label="Copy token" />
        </div>
        <div className="dialog-actions">
          <Button look="primary" onClick={onClose}>
            I have copied it
          </Button>
        </div>
      </div>
    );
  }
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy && name.trim()) void submit();
      }}
    >
      <Field id="token-name" label="Name" hint="Who or what will use it. It stands in the audit.">
        <input
          id="token-name"
          value={name}
          autoComplete="off"
          aria-describedby="token-name-note"
          onChange={(event) => setName(event.target.value)}
        />
      </Field>
      <Field id="token-role" label="Role">
        <select id="token-role" value={role} onChange={(event) => setRole(event.target.value as Role)}>
          {ROLES.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </Field>
      <Field id="token-days" label="Valid for">
        <select id="token-days" value={days} onChange={(event) => setDays(event.target.value)}>
          <option value="1">1 day</option>
          <option value="30">30 days</option>
          <option value="90">90 days</option>
          <option value="365">1 year</option>
          <option value="0">until it is revoked</option>
        </select>
      </Field>
      {error && <Failed error={error} what="The token was not created." />}
      <div className="dialog-actions">
        <Button look="ghost" onClick={onClose}>
          Cancel
        </Button>
        <Button
          type="submit"
          look="primary"
          needs="admin"
          busy={busy}
          blocked={name.trim() ? undefined : 'A name is needed.'}
        >
          Create token
        </Button>
      </div>
    </form>
  );
}
