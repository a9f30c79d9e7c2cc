import { useQueryClient } from '@tanstack/react-query';
import { Undo2 } from 'lucide-react';
import { useState } from 'react';
import { post } from '../api/client.js';
import type { ChangeView } from '../api/types.js';
import { plural } from '../lib/format.js';
import { restoreSql } from '../lib/sql.js';
import { Button } from './button.js';
import { Confirm } from './dialog.js';
import { OriginLink, TargetLink } from './links.js';
import { Status } from './status.js';
import { type Column, DataTable } from './table.js';
import { useToast } from './toast.js';
import { Code, None, Time } from './values.js';

interface ChangesTableProps {
  changes: readonly ChangeView[];
  label: string;
  withTarget?: boolean;
  footer?: React.ReactNode;
}

/** What stood before, what we set, and what became of it. */
export function ChangesTable({ changes, label, withTarget = false, footer }: ChangesTableProps) {
  const columns: Column<ChangeView>[] = [
    ...(withTarget
      ? [
          {
            key: 'target',
            header: 'Target',
            cell: (change: ChangeView) => <TargetLink id={change.targetId} />,
          },
        ]
      : []),
    {
      key: 'setting',
      header: 'Setting',
      cell: (change) => (
        <span title={change.reason}>
          <code>{change.setting}</code>
          <span className="cell-sub">on the {change.server}</span>
        </span>
      ),
    },
    {
      key: 'before',
      header: 'Before',
      cell: (change) => (
        <span>
          <code>{change.before.value === '' ? "''" : change.before.value}</code>
          <span className="cell-sub">from {change.before.source}</span>
        </span>
      ),
    },
    { key: 'ours', header: 'Ours', cell: (change) => <code>{change.ours}</code> },
    {
      key: 'state',
      header: 'State',
      cell: (change) => (
        <span>
          <Status state={change.state} />
          {change.note && <span className="cell-sub">{change.note}</span>}
        </span>
      ),
    },
    {
      key: 'by',
      header: 'Changed by',
      cell: (change) => <OriginLink runId={change.runId} command={change.command} />,
    },
    {
      key: 'at',
      header: 'Changed',
      align: 'end',
      cell: (change) => <Time at={change.createdAt} look="ago" />,
    },
    {
      key: 'resolved',
      header: 'Resolved',
      align: 'end',
      cell: (change) => (change.resolvedAt ? <Time at={change.resolvedAt} look="ago" /> : <None />),
    },
  ];
  return (
    <DataTable
      label={label}
      columns={columns}
      rows={changes}
      rowKey={(change) => change.id}
      footer={footer}
    />
  );
}

interface RestoreProps {
  target: { id: string; name: string };
  changes: readonly ChangeView[];
}

/** Puts back every setting of ours on one target. */
export function RestoreButton({ target, changes }: RestoreProps) {
  const [open, setOpen] = useState(false);
  const queries = useQueryClient();
  const toast = useToast();
  const servers = [...new Set(changes.map((change) => change.server))];
  if (changes.length === 0) return null;
  return (
    <>
      <Button size="s" needs="operator" icon={<Undo2 />} onClick={() => setOpen(true)}>
        Restore {plural(changes.length, 'setting')} of {target.name}
      </Button>
      <Confirm
        open={open}
        onOpenChange={setOpen}
        title={`Restore ${plural(changes.length, 'setting')} of ${target.name}`}
        action={`Restore on ${target.name}`}
        onConfirm={async () => {
          await post('/changes/restore', { targetId: target.id });
          await queries.invalidateQueries();
          toast.done(`Settings of ${target.name} restored.`);
        }}
      >
        <p>
          Each setting goes back to exactly what stood before, by a reload: the server is not restarted. A
          setting that its owner has changed meanwhile is left as the owner has it. A capture that runs now
          loses what it needs.
        </p>
        {servers.map((server) => (
          <div key={server} className="stack-s">
            <p className="muted">On the {server}:</p>
            <Code
              label={`SQL for the ${server}`}
              text={restoreSql(changes.filter((change) => change.server === server))}
            />
          </div>
        ))}
      </Confirm>
    </>
  );
}
