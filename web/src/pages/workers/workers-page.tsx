import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { path, post } from '../../api/client.js';
import { workersQuery } from '../../api/queries.js';
import type { WorkerView } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { Confirm } from '../../components/dialog.js';
import { TargetLink } from '../../components/links.js';
import { Empty, Loaded, Page, Section } from '../../components/page.js';
import { Status } from '../../components/status.js';
import { type Column, DataTable, More } from '../../components/table.js';
import { Switch } from '../../components/tabs.js';
import { useToast } from '../../components/toast.js';
import { None, Time } from '../../components/values.js';
import { formatBytes, formatDuration, plural } from '../../lib/format.js';
import { useNow, useUrlState } from '../../lib/hooks.js';

const isAlive = (worker: WorkerView): boolean => worker.state !== 'STOPPED';

interface Asked {
  worker: WorkerView;
  action: 'drain' | 'stop';
}

export function WorkersPage() {
  const [params, setParams] = useUrlState();
  const show = params.get('show') === 'all' ? 'all' : 'alive';
  const workers = useInfiniteQuery(workersQuery({}));
  const [asked, setAsked] = useState<Asked>();
  return (
    <Page
      title="Workers"
      about="Processes that carry out commands near a database: what they are, their lease, what they do now."
    >
      <Section
        title={show === 'all' ? 'All workers' : 'Workers now'}
        actions={
          <Switch
            label="Which workers"
            value={show}
            options={[
              { value: 'alive', text: 'Current' },
              { value: 'all', text: 'All' },
            ]}
            onChange={(next) => setParams({ show: next === 'all' ? 'all' : undefined }, { push: true })}
          />
        }
      >
        <Loaded of={workers}>
          {({ pages }) => {
            const items = pages
              .flatMap((page) => page.items)
              .filter((worker) => show === 'all' || isAlive(worker));
            return items.length === 0 ? (
              <Empty title="No worker now" command="otto worker exploratory">
                A run launches the workers that it needs. One can also be started by hand on another machine.
              </Empty>
            ) : (
              <WorkersTable workers={items} onAsk={setAsked} footer={<More of={workers} />} />
            );
          }}
        </Loaded>
      </Section>
      {asked && <ConfirmWorker asked={asked} onClose={() => setAsked(undefined)} />}
    </Page>
  );
}

function ConfirmWorker({ asked, onClose }: { asked: Asked; onClose: () => void }) {
  const { worker, action } = asked;
  const queries = useQueryClient();
  const toast = useToast();
  const busy = worker.running.map((one) => one.command).join(', ');
  const drain = action === 'drain';
  return (
    <Confirm
      open
      onOpenChange={onClose}
      title={`${drain ? 'Drain' : 'Stop'} ${worker.name}`}
      action={drain ? `Drain ${worker.name}` : `Stop ${worker.name}`}
      danger={!drain}
      onConfirm={async () => {
        await post(path('workers', worker.id, action));
        await queries.invalidateQueries({ queryKey: ['workers'] });
        toast.done(drain ? `${worker.name} takes no new commands.` : `${worker.name} is being stopped.`);
      }}
    >
      <p>
        {drain
          ? `It takes no new commands. ${busy ? `What it does now ends first: ${busy}.` : 'It does nothing now.'} Then it stops.`
          : busy
            ? `What it does now is interrupted: ${busy}. Each is tried again by another worker, or fails, as its type says.`
            : 'It does nothing now. Its process ends, and clones that it holds are taken away.'}
      </p>
    </Confirm>
  );
}

interface WorkersTableProps {
  workers: readonly WorkerView[];
  onAsk: (asked: Asked) => void;
  footer: React.ReactNode;
}

function WorkersTable({ workers, onAsk, footer }: WorkersTableProps) {
  const columns: Column<WorkerView>[] = [
    {
      key: 'state',
      header: 'State',
      cell: (worker) => (
        <span>
          <Status state={worker.state} of="fleet" />
          {worker.note && <span className="cell-sub">{worker.note}</span>}
        </span>
      ),
    },
    {
      key: 'name',
      header: 'Worker',
      cell: (worker) => (
        <span>
          <span className="cell-main">{worker.name}</span>
          <span className="cell-sub">
            {worker.kind}, {HOW[worker.how]}
          </span>
        </span>
      ),
    },
    { key: 'target', header: 'Target', cell: (worker) => <TargetLink id={worker.targetId} /> },
    { key: 'host', header: 'Machine', cell: (worker) => <Machine info={worker.info} /> },
    { key: 'lease', header: 'Lease', cell: (worker) => <Lease worker={worker} /> },
    {
      key: 'running',
      header: 'Does now',
      cell: (worker) =>
        worker.running.length === 0 ? (
          <span className="muted">nothing</span>
        ) : (
          <span className="stack-s">
            {worker.running.map((one) => (
              <Link
                key={`${one.runId}${one.command}`}
                to={`/runs/${one.runId}?command=${encodeURIComponent(one.command)}`}
              >
                {one.command}
              </Link>
            ))}
          </span>
        ),
    },
    {
      key: 'attached',
      header: 'Attached',
      align: 'end',
      cell: (worker) => (worker.attachedAt ? <Time at={worker.attachedAt} look="ago" /> : <None />),
    },
    {
      key: 'actions',
      header: 'Actions',
      cell: (worker) =>
        isAlive(worker) && (
          <span className="cell-actions">
            <Button
              size="s"
              needs="operator"
              blocked={worker.state === 'READY' ? undefined : 'Only a worker that is ready can be drained.'}
              onClick={() => onAsk({ worker, action: 'drain' })}
            >
              Drain
            </Button>
            <Button size="s" needs="operator" onClick={() => onAsk({ worker, action: 'stop' })}>
              Stop
            </Button>
          </span>
        ),
    },
  ];
  return (
    <DataTable
      label="Workers"
      columns={columns}
      rows={workers}
      rowKey={(worker) => worker.id}
      footer={footer}
    />
  );
}

const HOW: Record<WorkerView['how'], string> = {
  local: 'launched here',
  ssh: 'launched over SSH',
  manual: 'started by hand',
};

function Machine({ info }: { info: WorkerView['info'] }) {
  const parts = [
    info.cores && plural(info.cores, 'core'),
    info.memoryBytes && formatBytes(info.memoryBytes),
    info.freeBytes !== undefined && `${formatBytes(info.freeBytes)} free`,
  ].filter(Boolean);
  if (!info.host && parts.length === 0) return <None />;
  return (
    <span title={info.root}>
      {info.host ?? ''} {info.pid !== undefined && <span className="muted">pid {info.pid}</span>}
      <span className="cell-sub">{parts.join(' · ')}</span>
      {info.postgres && info.postgres.length > 0 && (
        <span className="cell-sub" title={info.postgres.map((one) => one.bin).join(', ')}>
          PostgreSQL {[...new Set(info.postgres.map((one) => one.major))].join(', ')}
        </span>
      )}
    </span>
  );
}

function Lease({ worker }: { worker: WorkerView }) {
  // A worker that has stopped let go of its lease: that it ran out is no news.
  const holds = isAlive(worker) && worker.leaseExpiresAt !== undefined;
  const now = useNow(holds);
  if (!holds || !worker.leaseExpiresAt) return <None />;
  const left = Date.parse(worker.leaseExpiresAt) - now;
  return (
    <span title={`Lease number ${worker.leaseEpoch}`}>
      {left > 0 ? (
        `holds, ${formatDuration(Math.ceil(left / 1000) * 1000)} left`
      ) : (
        <span className="lease-over">ran out</span>
      )}
    </span>
  );
}
