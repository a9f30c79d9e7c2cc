import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { ApiError, post } from '../../api/client.js';
import type { TargetView } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { Dialog } from '../../components/dialog.js';
import { Check, Field } from '../../components/field.js';
import { Failed } from '../../components/page.js';
import { useToast } from '../../components/toast.js';

interface AddTargetProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

const EMPTY = { name: '', url: '', replicaUrl: '', production: true };
const FIELDS = ['name', 'url', 'replicaUrl'] as const;
type FieldName = (typeof FIELDS)[number];

export function AddTarget({ open, onOpenChange }: AddTargetProps) {
  const [draft, setDraft] = useState(EMPTY);
  const [errors, setErrors] = useState<Partial<Record<FieldName, string>>>({});
  const [failure, setFailure] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();

  const submit = async () => {
    const wrong = check(draft);
    setErrors(wrong);
    setFailure(undefined);
    const first = FIELDS.find((name) => wrong[name]);
    if (first) {
      document.getElementById(`target-${first}`)?.focus();
      return;
    }
    setBusy(true);
    try {
      const target = await post<TargetView>('/targets', {
        name: draft.name.trim(),
        url: draft.url.trim(),
        ...(draft.replicaUrl.trim() && { replicaUrl: draft.replicaUrl.trim() }),
        production: draft.production,
      });
      void queries.invalidateQueries({ queryKey: ['targets'] });
      toast.done(`${target.name} was added.`);
      setDraft(EMPTY);
      await navigate(`/targets/${target.id}`);
    } catch (error) {
      const found = fieldErrors(error);
      setErrors(found.fields);
      setFailure(found.rest);
    } finally {
      setBusy(false);
    }
  };

  const input = (name: FieldName) => ({
    id: `target-${name}`,
    value: draft[name],
    autoComplete: 'off',
    spellCheck: false,
    'aria-invalid': errors[name] !== undefined,
    'aria-describedby': `target-${name}-note`,
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => {
      setDraft({ ...draft, [name]: event.target.value });
      setErrors({ ...errors, [name]: undefined });
    },
  });

  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="Add target"
      about="Ottopilot connects and reads what the server is. It changes nothing and installs nothing."
    >
      <form
        className="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void submit();
        }}
      >
        <Field id="target-name" label="Name" error={errors.name} hint="What to call it here, such as orders.">
          <input {...input('name')} />
        </Field>
        <Field
          id="target-url"
          label="Connection URL of the primary"
          error={errors.url}
          hint="postgresql://user:password@host:5432/database. It is stored encrypted and never shown again."
        >
          <input {...input('url')} className="mono" />
        </Field>
        <Field
          id="target-replicaUrl"
          label="Connection URL of a replica (optional)"
          error={errors.replicaUrl}
          hint="Copies are taken from it, so that the primary is left alone."
        >
          <input {...input('replicaUrl')} className="mono" />
        </Field>
        <Check
          label="Production"
          hint="Nothing is ever replayed against a production target, and it is never restarted."
          checked={draft.production}
          onChange={(production) => setDraft({ ...draft, production })}
        />
        {failure && <Failed error={failure} what="The target was not added." />}
        <div className="dialog-actions">
          <Button look="ghost" onClick={() => onOpenChange(false)}>
            Cancel
          </Button>
          <Button type="submit" look="primary" needs="admin" busy={busy}>
            {busy ? 'Connecting…' : 'Add target'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function check(draft: typeof EMPTY): Partial<Record<FieldName, string>> {
  const errors: Partial<Record<FieldName, string>> = {};
  if (!draft.name.trim()) errors.name = 'A name is needed.';
  if (!draft.url.trim()) errors.url = 'The connection URL is needed.';
  else if (!isPostgresUrl(draft.url)) errors.url = 'It must begin with postgresql:// or postgres://.';
  if (draft.replicaUrl.trim() && !isPostgresUrl(draft.replicaUrl)) {
    errors.replicaUrl = 'It must begin with postgresql:// or postgres://.';
  }
  return errors;
}

const isPostgresUrl = (text: string): boolean => /^postgres(ql)?:\/\//.test(text.trim());

/** Issues that name a field go to it; the rest stays a message of the form. */
function fieldErrors(error: unknown): { fields: Partial<Record<FieldName, string>>; rest?: Error } {
  if (!(error instanceof ApiError)) return { fields: {}, rest: error as Error };
  const fields: Partial<Record<FieldName, string>> = {};
  for (const issue of error.issues) {
    const name = FIELDS.find((field) => issue.path === field || issue.path.endsWith(`.${field}`));
    if (name) fields[name] = issue.message;
  }
  const all = error.issues.length > 0 && error.issues.length === Object.keys(fields).length;
  return all ? { fields } : { fields, rest: error };
}
