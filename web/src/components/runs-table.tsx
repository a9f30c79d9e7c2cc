import { Link } from 'react-router';
import type { RunSummary } from '../api/types.js';
import { formatClock } from '../lib/format.js';
import { useNow } from '../lib/hooks.js';
import './runs-table.css';
import { Status } from './status.js';
import { type Column, DataTable } from './table.js';
import { None, Time } from './values.js';

interface RunsTableProps {
  runs: readonly RunSummary[];
  label: string;
  withTarget?: boolean;
  footer?: React.ReactNode;
}

export function RunsTable({ runs, label, withTarget = true, footer }: RunsTableProps) {
  const columns: Column<RunSummary>[] = [
    {
      key: 'state',
      header: 'State',
      cell: (run) =>
        run.cancelRequested && !run.endedAt ? (
          <Status state="STOPPING" text="Cancelling" />
        ) : (
          <Status state={run.state} />
        ),
    },
    {
      key: 'name',
      header: 'Run',
      cell: (run) => (
        <span className="run-name">
          <Link className="cell-main" to={`/runs/${run.id}`}>
            {run.name}
          </Link>
          {run.error && (
            <span className="cell-sub run-error" title={run.error.message}>
              {run.error.message}
            </span>
          )}
        </span>
      ),
    },
    ...(withTarget
      ? [
          {
            key: 'target',
            header: 'Target',
            cell: (run: RunSummary) =>
              run.targetId ? (
                <Link to={`/targets/${run.targetId}`}>{run.targetName ?? run.targetId}</Link>
              ) : (
                <None />
              ),
          },
        ]
      : []),
    { key: 'commands', header: 'Commands', cell: (run) => <CommandCounts counts={run.commands} /> },
    { key: 'by', header: 'By', cell: (run) => <span className="muted">{run.createdBy}</span> },
    {
      key: 'created',
      header: 'Submitted',
      align: 'end',
      cell: (run) => <Time at={run.createdAt} look="ago" />,
    },
    {
      key: 'duration',
      header: 'Took (m:s)',
      align: 'end',
      title: 'Minutes and seconds; hours before them where it took that long',
      cell: (run) => <RunDuration run={run} />,
    },
  ];
  return <DataTable label={label} columns={columns} rows={runs} rowKey={(run) => run.id} footer={footer} />;
}

type Timed = Pick<RunSummary, 'startedAt' | 'endedAt' | 'durationMs'>;

/** How long a run has taken, counting while it runs. */
export function RunDuration({ run }: { run: Timed }) {
  const active = run.startedAt !== undefined && run.endedAt === undefined;
  const now = useNow(active);
  if (!run.startedAt) return <None />;
  const end = run.endedAt ? Date.parse(run.endedAt) : now;
  return (
    <>
      {formatClock(
        active ? end - Date.parse(run.startedAt) : (run.durationMs ?? end - Date.parse(run.startedAt)),
      )}
    </>
  );
}

/** Commands by outcome, as one bar with its numbers. */
export function CommandCounts({ counts }: { counts: RunSummary['commands'] }) {
  const { total, succeeded, failed, running } = counts;
  const text = [
    `${succeeded} of ${total} succeeded`,
    failed > 0 && `${failed} failed`,
    running > 0 && `${running} running`,
  ]
    .filter(Boolean)
    .join(', ');
  return (
    <span className="counts" title={text}>
      <span className="counts-bar" aria-hidden="true">
        {(['succeeded', 'failed', 'running'] as const).map((key) => (
          <span key={key} className={`counts-${key}`} style={{ flexGrow: counts[key] }} />
        ))}
        <span style={{ flexGrow: Math.max(0, total - succeeded - failed - running) }} />
      </span>
      <span aria-hidden="true" className="muted">
        {succeeded}/{total}
      </span>
      <span className="visually-hidden">{text}</span>
    </span>
  );
}
