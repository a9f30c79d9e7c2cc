import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { post } from '../../api/client.js';
import { targetsQuery } from '../../api/queries.js';
import type { Dag, RunDetail } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { Dialog, DialogActions } from '../../components/dialog.js';
import { Field } from '../../components/field.js';
import { Failed } from '../../components/page.js';
import { ParameterFields, readParameters } from '../../components/parameters.js';
import { plural } from '../../lib/format.js';

interface RunDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  dag: Dag;
  text: string;
  target: string;
  onTarget: (target: string) => void;
}

/** Chooses target and parameters, says what will happen, submits. */
export function RunDialog({ open, onOpenChange, dag, text, target, onTarget }: RunDialogProps) {
  const [texts, setTexts] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const targets = useQuery(targetsQuery()).data?.items ?? [];
  const queries = useQueryClient();
  const navigate = useNavigate();
  const chosen = targets.find((one) => one.id === target);
  const missing = dag.parameters.find(
    (parameter) => parameter.default === undefined && !(texts[parameter.name] ?? '').trim(),
  );

  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const created = await post<RunDetail>('/runs', {
        document: text,
        parameters: readParameters(dag.parameters, texts),
        ...(target && { target }),
      });
      void queries.invalidateQueries({ queryKey: ['runs'] });
      await navigate(`/runs/${created.id}`);
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  };

  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={`Run ${dag.name}`}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy && !missing) void run();
        }}
      >
        <Field
          id="run-target"
          label="Target"
          hint={dag.target ? `The document names ${dag.target}; a choice here takes its place.` : undefined}
        >
          <select id="run-target" value={target} onChange={(event) => onTarget(event.target.value)}>
            <option value="">{dag.target ? `As the document says: ${dag.target}` : 'No target'}</option>
            {targets.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
                {one.production ? ' (production)' : ''}
              </option>
            ))}
          </select>
        </Field>
        <ParameterFields
          parameters={dag.parameters}
          texts={texts}
          onChange={(name, value) => setTexts({ ...texts, [name]: value })}
        />
        <div className="stack-s">
          <p>
            {plural(dag.commands.length, 'command')} will run
            {chosen ? ` for ${chosen.name}` : dag.target ? ` for ${dag.target}` : ''}:{' '}
            <span className="muted">{kindsOf(dag)}</span>
          </p>
          {chosen?.production && (
            <p className="muted">
              {chosen.name} is a production target: it is read and captured, never restarted, and nothing is
              replayed against it.
            </p>
          )}
        </div>
        {error && <Failed error={error} what="The run was not submitted." />}
        <DialogActions onCancel={() => onOpenChange(false)}>
          <Button
            type="submit"
            look="primary"
            needs="operator"
            busy={busy}
            blocked={missing ? `The parameter ${missing.name} is needed.` : undefined}
          >
            {busy ? 'Submitting…' : `Run ${dag.name}`}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** `2 × COLLECT_DATA_FROM_EXPLORATORY, …`, in the order of the document. */
function kindsOf(dag: Dag): string {
  const counts = new Map<string, number>();
  for (const command of dag.commands) counts.set(command.type, (counts.get(command.type) ?? 0) + 1);
  return [...counts].map(([type, count]) => (count > 1 ? `${count} × ${type}` : type)).join(', ');
}
