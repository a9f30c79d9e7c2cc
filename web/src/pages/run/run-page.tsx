import './run.css';
import { ChartGantt, List, Workflow } from 'lucide-react';
import { lazy, type ReactNode, Suspense, useCallback } from 'react';
import { Link, useParams } from 'react-router';
import type { CommandView, ErrorJson, RunDetail } from '../../api/types.js';
import { Elapsed } from '../../components/dag/elapsed.js';
import { TargetLink } from '../../components/links.js';
import { Failed, Loaded, Loading, Page, Section } from '../../components/page.js';
import { RunDuration } from '../../components/runs-table.js';
import { Status } from '../../components/status.js';
import { type Column, DataTable } from '../../components/table.js';
import { Switch } from '../../components/tabs.js';
import { Badge, Facts, Id, None, Time } from '../../components/values.js';
import { useIsSmall, useMediaQuery, useUrlState } from '../../lib/hooks.js';
import { CommandPanel } from './command-panel.js';
import { Gantt } from './gantt.js';
import { progressText } from './progress.js';
import { RunActions } from './run-actions.js';
import { RunLog } from './run-log.js';
import { useLiveRun } from './use-live-run.js';

const DagGraph = lazy(async () => ({
  default: (await import('../../components/dag/dag-graph.js')).DagGraph,
}));

type View = 'graph' | 'gantt' | 'table';

export function RunPage() {
  const { id = '' } = useParams();
  const { run, events, status, over, failure } = useLiveRun(id);
  const data = run.data;
  return (
    <Page
      wide
      title={data ? data.name : 'Run'}
      heading={
        data && (
          <>
            {data.name}
            {data.cancelRequested && !over ? (
              <Status state="STOPPING" text="Cancelling: clean-up still runs" look="pill" />
            ) : (
              <Status state={data.state} look="pill" />
            )}
            {!over && status === 'broken' && <Badge tone="warn">connection lost, reconnecting</Badge>}
          </>
        )
      }
      crumbs={[{ text: 'Runs', to: '/runs' }]}
      about="One execution of a DAG: its commands as they run, what each took and gave, and the log."
      actions={data && <RunActions run={data} over={over} />}
    >
      <Loaded of={run} rows={8} what="The run could not be read.">
        {(detail) => (
          <>
            {detail.error && <Failure error={detail.error} />}
            <Body run={detail}>
              {failure ? (
                <Failed error={failure} what="The log could not be read." />
              ) : (
                <RunLog run={detail} events={events} over={over} status={status} />
              )}
            </Body>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Failure({ error }: { error: ErrorJson }) {
  return (
    <p className="run-failure" role="status">
      <strong>{error.code}</strong> {error.message}
      {error.hint && <span className="muted"> {error.hint}</span>}
    </p>
  );
}

function RunFacts({ run, columns }: { run: RunDetail; columns: boolean }) {
  const ended = run.commands.filter((command) => command.state === 'SUCCEEDED').length;
  const parameters = Object.entries(run.parameters);
  return (
    <Facts
      columns={columns}
      items={[
        ['Target', run.targetId ? <TargetLink key="t" id={run.targetId} /> : 'none'],
        ['Commands', `${ended} of ${run.commands.length} succeeded`],
        ['Took (m:s)', <RunDuration key="d" run={run} />],
        [
          'Submitted',
          <span key="s">
            <Time at={run.createdAt} /> <span className="muted">by {run.createdBy}</span>
          </span>,
        ],
        ['Started', run.startedAt ? <Time key="st" at={run.startedAt} /> : undefined],
        ['Ended', run.endedAt ? <Time key="e" at={run.endedAt} /> : undefined],
        ['Re-run of', run.rerunOf ? <Id key="r" id={run.rerunOf} to={`/runs/${run.rerunOf}`} /> : undefined],
        [
          'By schedule',
          run.scheduleId ? (
            <Link key="sc" to="/schedules">
              Schedules
            </Link>
          ) : undefined,
        ],
        ...parameters.map(
          ([name, value]) => [name, <code key={name}>{JSON.stringify(value)}</code>] as [string, ReactNode],
        ),
        ['Id', <Id key="i" id={run.id} />],
      ]}
    />
  );
}

function Body({ run, children }: { run: RunDetail; children: ReactNode }) {
  const [params, setParams] = useUrlState();
  const small = useIsSmall();
  const beside = useMediaQuery('(min-width: 64rem)');
  const view = viewOf(params.get('view')) ?? (small ? 'table' : 'graph');
  const name = params.get('command') ?? undefined;
  const command = run.commands.find((one) => one.name === name);
  const select = useCallback(
    (next: string | undefined) => setParams({ command: next }, { push: true }),
    [setParams],
  );
  return (
    <div className="run-body">
      <div className="stack run-main">
        {!beside && <RunFacts run={run} columns />}
        <Section
          title="Commands"
          actions={
            <Switch<View>
              label="View of the commands"
              value={view}
              onChange={(next) => setParams({ view: next })}
              options={[
                { value: 'graph', text: 'Graph', icon: <Workflow aria-hidden="true" /> },
                { value: 'gantt', text: 'Gantt', icon: <ChartGantt aria-hidden="true" /> },
                { value: 'table', text: 'Table', icon: <List aria-hidden="true" /> },
              ]}
            />
          }
        >
          {view === 'graph' && (
            <div className="run-graph">
              <Suspense fallback={<Loading rows={6} />}>
                <DagGraph
                  commands={run.commands}
                  selected={command?.name}
                  onSelect={select}
                  label={`Graph of ${run.name}; the table shows the same`}
                />
              </Suspense>
            </div>
          )}
          {view === 'gantt' && <Gantt run={run} selected={command?.name} onSelect={select} />}
          {view === 'table' && (
            <CommandTable commands={run.commands} selected={command?.name} onSelect={select} />
          )}
        </Section>
        {command && !beside && <CommandPanel run={run} command={command} onClose={() => select(undefined)} />}
        {children}
      </div>
      {beside &&
        (command ? (
          <CommandPanel run={run} command={command} onClose={() => select(undefined)} />
        ) : (
          <aside className="command-panel" aria-label="About this run">
            <Section
              title="About this run"
              about="Choose a command to see what it was given and what it gave."
              padded
            >
              <RunFacts run={run} columns={false} />
            </Section>
          </aside>
        ))}
    </div>
  );
}

interface CommandTableProps {
  commands: readonly CommandView[];
  selected: string | undefined;
  onSelect: (name: string) => void;
}

function CommandTable({ commands, selected, onSelect }: CommandTableProps) {
  const columns: Column<CommandView>[] = [
    {
      key: 'state',
      header: 'State',
      cell: (command) => {
        const text = nowText(command);
        return (
          <span>
            <Status state={command.state} />
            {text && <span className="cell-sub">{text}</span>}
          </span>
        );
      },
    },
    {
      key: 'name',
      header: 'Command',
      cell: (command) => (
        <span>
          <button
            type="button"
            className="link cell-main"
            aria-current={command.name === selected || undefined}
            onClick={() => onSelect(command.name)}
          >
            {command.name}
          </button>
          <span className="cell-sub mono">{command.type}</span>
        </span>
      ),
    },
    {
      key: 'parents',
      header: 'After',
      cell: (command) => (command.parents.length > 0 ? command.parents.join(', ') : <None />),
    },
    {
      key: 'attempt',
      header: 'Attempt',
      align: 'end',
      cell: (command) => (command.attempt > 0 ? `${command.attempt} of ${command.maxAttempts}` : <None />),
    },
    {
      key: 'took',
      header: 'Took (m:s)',
      align: 'end',
      cell: (command) => (command.startedAt ? <Elapsed command={command} /> : <None />),
    },
  ];
  return <DataTable label="Commands" columns={columns} rows={commands} rowKey={(command) => command.name} />;
}

/** What a command does, waits for, or failed with. */
function nowText(command: CommandView): string | undefined {
  if (command.error) return command.error.message;
  if (command.state === 'RUNNING' && command.progress) return progressText(command.progress);
  return command.reason;
}

const viewOf = (text: string | null): View | undefined =>
  text === 'graph' || text === 'gantt' || text === 'table' ? text : undefined;
