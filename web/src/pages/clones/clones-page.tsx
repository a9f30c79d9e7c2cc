import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { CircleStop } from 'lucide-react';
import { useState } from 'react';
import { path, post } from '../../api/client.js';
import { clonesQuery } from '../../api/queries.js';
import type { CloneView } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { Confirm } from '../../components/dialog.js';
import { OriginLink, TargetLink } from '../../components/links.js';
import { Empty, Loaded, Page, Section } from '../../components/page.js';
import { Status } from '../../components/status.js';
import { type Column, DataTable, More } from '../../components/table.js';
import { Switch } from '../../components/tabs.js';
import { useToast } from '../../components/toast.js';
import { Id, None, Time } from '../../components/values.js';
import { formatBytes, formatFixed, formatInUnit, sizeUnit } from '../../lib/format.js';
import { useUrlState } from '../../lib/hooks.js';

const isAlive = (clone: CloneView): boolean => clone.state !== 'STOPPED';

export function ClonesPage() {
  const [params, setParams] = useUrlState();
  const show = params.get('show') === 'all' ? 'all' : 'alive';
  const clones = useInfiniteQuery(clonesQuery({}));
  const [stopping, setStopping] = useState<CloneView>();
  const queries = useQueryClient();
  const toast = useToast();
  return (
    <Page
      title="Clones"
      about="Exploratory PostgreSQL servers: copies to try things on, each with an end to its life."
    >
      <Section
        title={show === 'all' ? 'All clones' : 'Clones that exist now'}
        actions={
          <Switch
            label="Which clones"
            value={show}
            options={[
              { value: 'alive', text: 'Existing' },
              { value: 'all', text: 'All' },
            ]}
            onChange={(next) => setParams({ show: next === 'all' ? 'all' : undefined }, { push: true })}
          />
        }
      >
        <Loaded of={clones}>
          {({ pages }) => {
            const items = pages
              .flatMap((page) => page.items)
              .filter((clone) => show === 'all' || isAlive(clone));
            return items.length === 0 ? (
              <Empty
                title={show === 'all' ? 'No clone yet' : 'No clone exists now'}
                command="otto dag run docs/dags/sample.json --target orders"
              >
                A run with LAUNCH_EXPLORATORY_POSTGRES makes one; it is taken away at the end of the run.
              </Empty>
            ) : (
              <ClonesTable clones={items} onStop={setStopping} footer={<More of={clones} />} />
            );
          }}
        </Loaded>
      </Section>
      {stopping && (
        <Confirm
          open
          onOpenChange={() => setStopping(undefined)}
          title="Stop this clone"
          action="Stop and delete the clone"
          danger
          onConfirm={async () => {
            await post(path('clones', stopping.id, 'stop'));
            await queries.invalidateQueries({ queryKey: ['clones'] });
            toast.done('The clone is being stopped.');
          }}
        >
          <p>
            The server of clone <Id id={stopping.id} />
            {stopping.connection && ` on port ${stopping.connection.port}`} is stopped and its data directory
            {stopping.bytes !== undefined && ` (${formatBytes(stopping.bytes)})`} is deleted. Commands that
            use it fail. The target that it was copied from is not touched.
          </p>
        </Confirm>
      )}
    </Page>
  );
}

interface ClonesTableProps {
  clones: readonly CloneView[];
  onStop: (clone: CloneView) => void;
  footer: React.ReactNode;
}

function ClonesTable({ clones, onStop, footer }: ClonesTableProps) {
  const unit = sizeUnit(clones.map((clone) => clone.bytes));
  const columns: Column<CloneView>[] = [
    {
      key: 'state',
      header: 'State',
      cell: (clone) => (
        <span>
          <Status state={clone.state} of="fleet" />
          {clone.note && <span className="cell-sub">{clone.note}</span>}
        </span>
      ),
    },
    { key: 'id', header: 'Clone', cell: (clone) => <Id id={clone.id} /> },
    { key: 'target', header: 'Of', cell: (clone) => <TargetLink id={clone.targetId} /> },
    {
      key: 'how',
      header: 'Made by',
      cell: (clone) => (
        <span>
          {clone.method ?? <None />}
          {clone.source && <span className="cell-sub">from {clone.source}</span>}
        </span>
      ),
    },
    {
      key: 'run',
      header: 'Command',
      cell: (clone) => <OriginLink runId={clone.runId} command={clone.command} />,
    },
    {
      key: 'where',
      header: 'Listens',
      cell: (clone) =>
        clone.connection && isAlive(clone) ? (
          <code title={clone.connection.socketDirectory}>
            {clone.connection.host}:{clone.connection.port}
          </code>
        ) : (
          <None />
        ),
    },
    {
      key: 'bytes',
      header: `Size (${unit.label})`,
      align: 'end',
      cell: (clone) => (clone.bytes === undefined ? <None /> : formatInUnit(clone.bytes, unit)),
    },
    {
      key: 'seconds',
      header: 'Ready in (s)',
      align: 'end',
      cell: (clone) => (clone.seconds === undefined ? <None /> : formatFixed(clone.seconds, 1)),
    },
    {
      key: 'created',
      header: 'Made',
      align: 'end',
      cell: (clone) => <Time at={clone.createdAt} look="ago" />,
    },
    {
      key: 'expires',
      header: 'Ends',
      align: 'end',
      cell: (clone) => {
        const at = clone.stoppedAt ?? clone.expiresAt;
        return at ? <Time at={at} look="ago" /> : <span className="muted">with its run</span>;
      },
    },
    {
      key: 'actions',
      header: 'Actions',
      cell: (clone) =>
        isAlive(clone) && (
          <span className="cell-actions">
            <Button
              size="s"
              needs="operator"
              icon={<CircleStop />}
              blocked={clone.state === 'STOPPING' ? 'It is being stopped.' : undefined}
              onClick={() => onStop(clone)}
            >
              Stop
            </Button>
          </span>
        ),
    },
  ];
  return (
    <DataTable label="Clones" columns={columns} rows={clones} rowKey={(clone) => clone.id} footer={footer} />
  );
}
