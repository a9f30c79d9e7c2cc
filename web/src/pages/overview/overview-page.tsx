import './overview.css';
import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { Link } from 'react-router';
import { overviewQuery } from '../../api/queries.js';
import type { Overview, TargetView } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { ChangesTable, RestoreButton } from '../../components/changes.js';
import { Empty, Loaded, Page, Section } from '../../components/page.js';
import { RunsTable } from '../../components/runs-table.js';
import { Status } from '../../components/status.js';
import { addressText, healthLine, ProductionBadge } from '../../components/target-bits.js';
import { Badge, Time } from '../../components/values.js';
import { formatCount, plural } from '../../lib/format.js';

export function OverviewPage() {
  const overview = useQuery(overviewQuery());
  return (
    <Page
      title="Overview"
      about="The databases that are driven, what runs for them now, and what needs a look."
      actions={
        <Button asChild look="primary">
          <Link to="/runs/new">
            <Plus aria-hidden="true" />
            New run
          </Link>
        </Button>
      }
    >
      <Loaded of={overview} rows={8} what="The overview could not be read.">
        {(data) => <Blocks overview={data} />}
      </Loaded>
    </Page>
  );
}

function Blocks({ overview }: { overview: Overview }) {
  const { targets, recentRuns, openChanges } = overview;
  const running = recentRuns.filter((run) => run.state === 'RUNNING' || run.state === 'PENDING');
  const failed = recentRuns.filter((run) => run.state === 'FAILED' || run.state === 'TIMED_OUT');
  return (
    <>
      <Figures overview={overview} />
      <Section
        title="Targets"
        about="Databases that Ottopilot drives"
        actions={<Link to="/targets">All targets</Link>}
      >
        {targets.length === 0 ? (
          <Empty title="No target yet" command="otto db add orders --url-file orders.url">
            A target is a PostgreSQL primary, with its replica if it has one.
          </Empty>
        ) : (
          <ul className="target-rows">
            {targets.map((target) => (
              <TargetRow key={target.id} target={target} />
            ))}
          </ul>
        )}
      </Section>
      <Section title="Running now" actions={<Link to="/runs?state=RUNNING">All that runs</Link>}>
        {running.length === 0 ? (
          <Empty title="Nothing runs" command="otto dag run docs/dags/replay.yaml --target orders">
            A run carries out a DAG of commands: capture, copy, collect.
          </Empty>
        ) : (
          <RunsTable label="Running now" runs={running} />
        )}
      </Section>
      <Section title="Failed lately" actions={<Link to="/runs?state=FAILED">All failures</Link>}>
        {failed.length === 0 ? (
          <Empty title="No failure among the latest runs" command="otto dag list --state FAILED">
            Runs that fail or run out of time appear here with their first error.
          </Empty>
        ) : (
          <RunsTable label="Failed lately" runs={failed} />
        )}
      </Section>
      <Section title="Open changes" about="Settings of ours that have not been put back yet">
        {openChanges.length === 0 ? (
          <Empty title="Every server has its own settings" command="otto audit">
            While a capture needs other log settings, they stand here with the way back.
          </Empty>
        ) : (
          <>
            <ChangesTable label="Open changes" changes={openChanges} withTarget />
            <div className="restore-row">
              {targets
                .filter((target) => target.openChanges.length > 0)
                .map((target) => (
                  <RestoreButton key={target.id} target={target} changes={target.openChanges} />
                ))}
            </div>
          </>
        )}
      </Section>
    </>
  );
}

function TargetRow({ target }: { target: TargetView }) {
  return (
    <li className="target-row">
      <Status state={target.state} />
      <div className="target-name">
        <Link className="cell-main" to={`/targets/${target.id}`}>
          {target.name}
        </Link>
        <span className="cell-sub mono">{addressText(target.address)}</span>
      </div>
      <div className="target-health">
        {healthLine(target)}
        <span className="cell-sub">
          {target.checkedAt ? (
            <>
              checked <Time at={target.checkedAt} look="ago" />
            </>
          ) : (
            'never checked'
          )}
          {target.lastCapture && (
            <>
              {' · '}
              <Link to={`/captures/${target.lastCapture.id}`}>captured</Link>{' '}
              <Time at={target.lastCapture.createdAt} look="ago" />
            </>
          )}
        </span>
      </div>
      <div className="target-badges">
        {target.openChanges.length > 0 && (
          <Badge tone="warn">{plural(target.openChanges.length, 'open change')}</Badge>
        )}
        <ProductionBadge production={target.production} />
      </div>
    </li>
  );
}

function Figures({ overview }: { overview: Overview }) {
  const { runs, workers, clones, openChanges } = overview;
  const figures: [string, string, number, string, string?][] = [
    ['Running', '/runs?state=RUNNING', runs.running, runs.running === 1 ? 'run' : 'runs'],
    ['Succeeded', '/runs?state=SUCCEEDED', runs.succeeded24h, 'in the last 24 h'],
    [
      'Failed',
      '/runs?state=FAILED',
      runs.failed24h,
      'in the last 24 h',
      runs.failed24h > 0 ? 'bad' : undefined,
    ],
    [
      'Workers',
      '/workers',
      workers.ready,
      workers.lost > 0 ? `ready, ${formatCount(workers.lost)} lost` : 'ready',
      workers.lost > 0 ? 'bad' : undefined,
    ],
    ['Clones', '/clones', clones.running, 'running'],
    [
      'Open changes',
      '/',
      openChanges.length,
      'not yet restored',
      openChanges.length > 0 ? 'warn' : undefined,
    ],
  ];
  return (
    <ul className="figures" aria-label="At a glance">
      {figures.map(([name, to, value, note, tone]) => (
        <li key={name}>
          <Link to={to} className={`figure ${tone ? `figure-${tone}` : ''}`}>
            <span className="figure-name">{name}</span>
            <span className="figure-value">{formatCount(value)}</span>
            <span className="figure-note">{note}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
