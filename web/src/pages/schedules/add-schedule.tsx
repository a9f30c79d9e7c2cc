import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ApiError, post } from '../../api/client.js';
import { targetsQuery } from '../../api/queries.js';
import type { Validation } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { CodeEditor } from '../../components/code-editor.js';
import { Dialog } from '../../components/dialog.js';
import { Check, Field } from '../../components/field.js';
import { Failed } from '../../components/page.js';
import { ParameterFields, readParameters } from '../../components/parameters.js';
import { useToast } from '../../components/toast.js';
import { explainCron } from '../../lib/explain-cron.js';
import { formatUtc, plural } from '../../lib/format.js';
import { nextTimes } from '../../lib/next-times.js';
import { SAMPLES } from '../editor/samples.js';
import { useValidation } from '../editor/use-draft.js';

interface AddScheduleProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

const ZONES = [
  ...new Set([
    'UTC',
    Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...Intl.supportedValuesOf('timeZone'),
  ]),
];

export function AddSchedule({ open, onOpenChange }: AddScheduleProps) {
  return (
    <Dialog
      wide
      open={open}
      onOpenChange={onOpenChange}
      title="Add schedule"
      about="Each time, the DAG is submitted as a new run."
    >
      {open && <Form onClose={() => onOpenChange(false)} />}
    </Dialog>
  );
}

function Form({ onClose }: { onClose: () => void }) {
  const [draft, setDraft] = useState({
    name: '',
    cron: '0 3 * * *',
    timeZone: 'UTC',
    target: '',
    overlap: false,
    document: SAMPLES[0]!.text,
  });
  const [texts, setTexts] = useState<Record<string, string>>({});
  const [tried, setTried] = useState(false);
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const targets = useQuery(targetsQuery()).data?.items ?? [];
  const validation = useValidation(draft.document, draft.target);
  const queries = useQueryClient();
  const toast = useToast();
  const times = nextTimes(draft.cron, draft.timeZone, 3);
  const set = (part: Partial<typeof draft>) => setDraft({ ...draft, ...part });
  const result: Validation | undefined = validation.data;

  const submit = async () => {
    setTried(true);
    setError(undefined);
    if (!draft.name.trim() || times.error) return;
    setBusy(true);
    try {
      await post('/schedules', {
        name: draft.name.trim(),
        cron: draft.cron.trim(),
        timeZone: draft.timeZone,
        document: draft.document,
        parameters: readParameters(result?.dag?.parameters ?? [], texts),
        overlap: draft.overlap ? 'allow' : 'skip',
        ...(draft.target && { target: draft.target }),
      });
      await queries.invalidateQueries({ queryKey: ['schedules'] });
      toast.done(`${draft.name} was added.`);
      onClose();
    } catch (caught) {
      setError(caught as Error);
    } finally {
      setBusy(false);
    }
  };
  const issueAt = (field: string) =>
    error instanceof ApiError ? error.issues.find((issue) => issue.path === field)?.message : undefined;

  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) void submit();
      }}
    >
      <div className="form-grid">
        <Field
          id="schedule-name"
          label="Name"
          error={issueAt('name') ?? (tried && !draft.name.trim() ? 'A name is needed.' : undefined)}
        >
          <input
            id="schedule-name"
            value={draft.name}
            onChange={(event) => set({ name: event.target.value })}
          />
        </Field>
        <Field id="schedule-target" label="Target">
          <select
            id="schedule-target"
            value={draft.target}
            onChange={(event) => set({ target: event.target.value })}
          >
            <option value="">
              {result?.dag?.target ? `As the document says: ${result.dag.target}` : 'No target'}
            </option>
            {targets.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        </Field>
        <Field
          id="schedule-cron"
          label="Times (cron)"
          error={times.error ?? issueAt('cron')}
          hint={explainCron(draft.cron) ?? 'minute, hour, day of month, month, day of week'}
        >
          <input
            id="schedule-cron"
            className="mono"
            value={draft.cron}
            aria-describedby="schedule-cron-note"
            aria-invalid={times.error !== undefined}
            onChange={(event) => set({ cron: event.target.value })}
          />
        </Field>
        <Field id="schedule-zone" label="Time zone" error={issueAt('timeZone')}>
          <select
            id="schedule-zone"
            value={draft.timeZone}
            onChange={(event) => set({ timeZone: event.target.value })}
          >
            {ZONES.map((zone) => (
              <option key={zone}>{zone}</option>
            ))}
          </select>
        </Field>
      </div>
      {times.items.length > 0 && <NextTimes times={times.items} zone={draft.timeZone} />}
      <Field
        id="schedule-document"
        label="DAG (JSON or YAML)"
        error={
          result && !result.valid
            ? `${plural(result.issues.length, 'finding')}: ${result.issues.map((one) => `${one.line ? `line ${one.line}: ` : ''}${one.path} ${one.message}`).join('; ')}`
            : undefined
        }
        hint={result?.valid ? `Valid: ${plural(result.dag?.commands.length ?? 0, 'command')}.` : 'Checking…'}
      >
        <div id="schedule-document" className="schedule-document">
          <CodeEditor
            label="DAG document. Tab indents; press Escape, then Tab, to leave."
            value={draft.document}
            onChange={(document) => set({ document })}
            marks={(result?.issues ?? []).flatMap((one) =>
              one.line === undefined ? [] : [{ line: one.line, message: one.message }],
            )}
            describedBy="schedule-document-note"
          />
        </div>
      </Field>
      <ParameterFields
        parameters={result?.dag?.parameters ?? []}
        texts={texts}
        onChange={(name, text) => setTexts({ ...texts, [name]: text })}
      />
      <Check
        label="May overlap"
        hint="Start even if the previous run has not ended. Otherwise that time is skipped, and it is said."
        checked={draft.overlap}
        onChange={(overlap) => set({ overlap })}
      />
      {error && <Failed error={error} what="The schedule was not added." />}
      <div className="dialog-actions">
        <Button look="ghost" onClick={onClose}>
          Cancel
        </Button>
        <Button
          type="submit"
          look="primary"
          needs="operator"
          busy={busy}
          blocked={result && !result.valid ? 'The DAG has findings that must be mended first.' : undefined}
        >
          Add schedule
        </Button>
      </div>
    </form>
  );
}

function NextTimes({ times, zone }: { times: readonly Date[]; zone: string }) {
  // Written out in the schedule's own zone: that is what its expression means.
  const [format, setFormat] = useState(() => formatter(zone));
  useEffect(() => setFormat(() => formatter(zone)), [zone]);
  return (
    <p className="muted">
      Next in {zone}:{' '}
      {times.map((time, index) => (
        <span key={time.getTime()} title={formatUtc(time)}>
          {index > 0 && ' · '}
          {format(time)}
        </span>
      ))}
    </p>
  );
}

function formatter(zone: string): (time: Date) => string {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
  });
  return (time) => format.format(time);
}
