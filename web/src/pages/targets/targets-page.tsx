import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { Link } from 'react-router';
import { targetsQuery } from '../../api/queries.js';
import type { TargetView } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { Empty, Loaded, Page, Section } from '../../components/page.js';
import { Status } from '../../components/status.js';
import { type Column, DataTable } from '../../components/table.js';
import { addressText, ProductionBadge } from '../../components/target-bits.js';
import { Badge, None, Time } from '../../components/values.js';
import { formatInUnit, plural, sizeUnit } from '../../lib/format.js';
import { useUrlState } from '../../lib/hooks.js';
import { AddTarget } from './add-target.js';

export function TargetsPage() {
  const targets = useQuery(targetsQuery());
  const [params, setParams] = useUrlState();
  const adding = params.get('add') === '1';
  const setAdding = (open: boolean) => setParams({ add: open ? '1' : undefined }, { push: open });
  return (
    <Page
      title="Targets"
      about="The PostgreSQL servers that Ottopilot watches and drives."
      actions={
        <Button look="primary" needs="admin" icon={<Plus />} onClick={() => setAdding(true)}>
          Add target
        </Button>
      }
    >
      <Section title="All targets">
        <Loaded of={targets}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="No target yet" command="otto db add orders --url-file orders.url">
                Add a PostgreSQL primary. Adding reads; nothing is installed or changed on it.
              </Empty>
            ) : (
              <TargetsTable targets={items} />
            )
          }
        </Loaded>
      </Section>
      <AddTarget open={adding} onOpenChange={setAdding} />
    </Page>
  );
}

function TargetsTable({ targets }: { targets: readonly TargetView[] }) {
  const unit = sizeUnit(targets.map((target) => target.health?.sizeBytes));
  const columns: Column<TargetView>[] = [
    { key: 'state', header: 'Health', cell: (target) => <Status state={target.state} /> },
    {
      key: 'name',
      header: 'Target',
      cell: (target) => (
        <span>
          <Link className="cell-main" to={`/targets/${target.id}`}>
            {target.name}
          </Link>
          <span className="cell-sub mono">{addressText(target.address)}</span>
        </span>
      ),
    },
    { key: 'version', header: 'PostgreSQL', cell: (target) => target.health?.version ?? <None /> },
    {
      key: 'size',
      header: `Size (${unit.label})`,
      align: 'end',
      cell: (target) =>
        target.health?.sizeBytes === undefined ? <None /> : formatInUnit(target.health.sizeBytes, unit),
    },
    {
      key: 'kind',
      header: 'Use',
      cell: (target) => (
        <span className="row row-wrap">
          <ProductionBadge production={target.production} />
          {target.replicaAddress && <Badge>replica</Badge>}
          {target.openChanges.length > 0 && (
            <Badge tone="warn">{plural(target.openChanges.length, 'open change')}</Badge>
          )}
        </span>
      ),
    },
    {
      key: 'capture',
      header: 'Last capture',
      align: 'end',
      cell: (target) =>
        target.lastCapture ? (
          <Link to={`/captures/${target.lastCapture.id}`}>
            <Time at={target.lastCapture.createdAt} look="ago" />
          </Link>
        ) : (
          <None />
        ),
    },
    {
      key: 'checked',
      header: 'Checked',
      align: 'end',
      cell: (target) => (target.checkedAt ? <Time at={target.checkedAt} look="ago" /> : <None />),
    },
  ];
  return <DataTable label="Targets" columns={columns} rows={targets} rowKey={(target) => target.id} />;
}
