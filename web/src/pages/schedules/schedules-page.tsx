import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { patch, path, remove } from '../../api/client.js';
import { schedulesQuery } from '../../api/queries.js';
import type { ScheduleView } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { Confirm } from '../../components/dialog.js';
import { TargetLink } from '../../components/links.js';
import { Empty, Loaded, Page, Section } from '../../components/page.js';
import { Status } from '../../components/status.js';
import { type Column, DataTable } from '../../components/table.js';
import { useToast } from '../../components/toast.js';
import { Id, None, Time } from '../../components/values.js';
import { explainCron } from '../../lib/explain-cron.js';
import { useUrlState } from '../../lib/hooks.js';
import { AddSchedule } from './add-schedule.js';

export function SchedulesPage() {
  const schedules = useQuery(schedulesQuery());
  const [params, setParams] = useUrlState();
  const [removing, setRemoving] = useState<ScheduleView>();
  const queries = useQueryClient();
  const toast = useToast();
  const setAdding = (open: boolean) => setParams({ add: open ? '1' : undefined }, { push: open });

  const enable = async (schedule: ScheduleView, enabled: boolean) => {
    try {
      await patch(path('schedules', schedule.id), { enabled });
      await queries.invalidateQueries({ queryKey: ['schedules'] });
    } catch (error) {
      toast.failed(error);
    }
  };

  return (
    <Page
      title="Schedules"
      about="DAGs that run by the clock: when each runs next, and what became of the last time."
      actions={
        <Button look="primary" needs="operator" icon={<Plus />} onClick={() => setAdding(true)}>
          Add schedule
        </Button>
      }
    >
      <Section title="All schedules">
        <Loaded of={schedules}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty
                title="No schedule yet"
                command={`otto schedule add nightly "0 3 * * *" docs/dags/replay.yaml --target orders`}
              >
                Try a DAG once by hand; then add it here with its times.
              </Empty>
            ) : (
              <SchedulesTable schedules={items} onEnable={enable} onRemove={setRemoving} />
            )
          }
        </Loaded>
      </Section>
      <AddSchedule open={params.get('add') === '1'} onOpenChange={setAdding} />
      {removing && (
        <Confirm
          open
          onOpenChange={() => setRemoving(undefined)}
          title={`Delete ${removing.name}`}
          action={`Delete ${removing.name}`}
          danger
          onConfirm={async () => {
            await remove(path('schedules', removing.id));
            await queries.invalidateQueries({ queryKey: ['schedules'] });
            toast.done(`${removing.name} was deleted.`);
          }}
        >
          <p>
            It will not run any more. Runs that it started stay, and one that runs now goes on. To stop it for
            a while only, disable it.
          </p>
        </Confirm>
      )}
    </Page>
  );
}

interface SchedulesTableProps {
  schedules: readonly ScheduleView[];
  onEnable: (schedule: ScheduleView, enabled: boolean) => Promise<void>;
  onRemove: (schedule: ScheduleView) => void;
}

function SchedulesTable({ schedules, onEnable, onRemove }: SchedulesTableProps) {
  const columns: Column<ScheduleView>[] = [
    {
      key: 'state',
      header: 'State',
      cell: (one) => (
        <Status state={one.enabled ? 'HEALTHY' : 'STOPPED'} text={one.enabled ? 'Enabled' : 'Disabled'} />
      ),
    },
    {
      key: 'name',
      header: 'Schedule',
      cell: (one) => (
        <span>
          <span className="cell-main">{one.name}</span>
          <span className="cell-sub">by {one.createdBy}</span>
        </span>
      ),
    },
    { key: 'target', header: 'Target', cell: (one) => <TargetLink id={one.targetId} /> },
    {
      key: 'cron',
      header: 'When',
      cell: (one) => (
        <span>
          {explainCron(one.cron) ?? <code>{one.cron}</code>}
          <span className="cell-sub">
            <code>{one.cron}</code> · {one.timeZone}
            {one.overlap === 'allow' && ' · may overlap'}
          </span>
        </span>
      ),
    },
    {
      key: 'next',
      header: 'Next',
      align: 'end',
      cell: (one) => (one.enabled && one.nextAt ? <Time at={one.nextAt} look="ago" /> : <None />),
    },
    {
      key: 'last',
      header: 'Last',
      align: 'end',
      cell: (one) =>
        one.lastAt ? (
          <span>
            <Time at={one.lastAt} look="ago" />
            <span className="cell-sub">
              {one.lastRunId ? <Id id={one.lastRunId} to={`/runs/${one.lastRunId}`} /> : one.lastNote}
            </span>
          </span>
        ) : (
          <None />
        ),
    },
    {
      key: 'actions',
      header: 'Actions',
      cell: (one) => (
        <span className="cell-actions">
          {one.lastRunId && (
            <Button asChild size="s" look="ghost">
              <Link to={`/runs/${one.lastRunId}`}>Last run</Link>
            </Button>
          )}
          <Button size="s" needs="operator" onClick={() => void onEnable(one, !one.enabled)}>
            {one.enabled ? 'Disable' : 'Enable'}
          </Button>
          <Button
            size="s"
            look="ghost"
            needs="operator"
            label={`Delete ${one.name}`}
            icon={<Trash2 />}
            onClick={() => onRemove(one)}
          />
        </span>
      ),
    },
  ];
  return <DataTable label="Schedules" columns={columns} rows={schedules} rowKey={(one) => one.id} />;
}
