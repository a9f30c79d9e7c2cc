import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { artifactsQuery } from '../../api/queries.js';
import type { ArtifactView } from '../../api/types.js';
import { FilterBar, Select } from '../../components/field.js';
import { OriginLink, TargetLink, useTargetOptions } from '../../components/links.js';
import { Empty, Loaded, Page, Section } from '../../components/page.js';
import { type Column, DataTable, More } from '../../components/table.js';
import { None, Time } from '../../components/values.js';
import { formatCount, formatInUnit, sizeUnit } from '../../lib/format.js';
import { useUrlState } from '../../lib/hooks.js';

export function ArtifactsPage() {
  const [params, setParams] = useUrlState();
  const kind = params.get('kind') ?? '';
  const target = params.get('target') ?? '';
  const artifacts = useInfiniteQuery(artifactsQuery({ kind, target, run: params.get('run') ?? '' }));
  const targets = useTargetOptions('Every target');
  const items = artifacts.data?.pages.flatMap((page) => page.items) ?? [];
  const kinds = [...new Set([...items.map((one) => one.kind), ...(kind ? [kind] : [])])].sort();
  const filtered = Boolean(kind || target || params.get('run'));
  return (
    <Page title="Artifacts" about="Files that commands collected: workloads, catalogs, plans, reports.">
      <FilterBar>
        <Select
          label="Kind"
          value={kind}
          options={[['', 'Every kind'], ...kinds.map((one) => [one, one] as const)]}
          onChange={(next) => setParams({ kind: next }, { push: true })}
        />
        <Select
          label="Target"
          value={target}
          options={targets}
          onChange={(next) => setParams({ target: next }, { push: true })}
        />
      </FilterBar>
      <Section title={filtered ? 'Matching artifacts' : 'All artifacts'}>
        <Loaded of={artifacts} rows={8}>
          {() =>
            items.length === 0 ? (
              <Empty
                title={filtered ? 'No artifact matches' : 'No artifact yet'}
                command="otto dag run docs/dags/replay.yaml --target orders"
              >
                Commands that capture or collect leave their result here, with a manifest that says where it
                came from.
              </Empty>
            ) : (
              <ArtifactsTable artifacts={items} footer={<More of={artifacts} />} />
            )
          }
        </Loaded>
      </Section>
    </Page>
  );
}

function ArtifactsTable({
  artifacts,
  footer,
}: {
  artifacts: readonly ArtifactView[];
  footer: React.ReactNode;
}) {
  const unit = sizeUnit(artifacts.map((one) => one.bytes));
  const columns: Column<ArtifactView>[] = [
    {
      key: 'name',
      header: 'Artifact',
      cell: (one) => (
        <Link className="cell-main" to={`/artifacts/${one.id}`}>
          {one.name}
        </Link>
      ),
    },
    { key: 'kind', header: 'Kind', cell: (one) => one.kind },
    { key: 'target', header: 'Target', cell: (one) => <TargetLink id={one.targetId} /> },
    {
      key: 'origin',
      header: 'Command',
      cell: (one) => <OriginLink runId={one.runId} command={one.command} />,
    },
    {
      key: 'rows',
      header: 'Rows',
      align: 'end',
      cell: (one) => (one.rows === undefined ? <None /> : formatCount(one.rows)),
    },
    {
      key: 'bytes',
      header: `Size (${unit.label})`,
      align: 'end',
      cell: (one) => formatInUnit(one.bytes, unit),
    },
    { key: 'created', header: 'Made', align: 'end', cell: (one) => <Time at={one.createdAt} look="ago" /> },
    {
      key: 'expires',
      header: 'Kept until',
      align: 'end',
      cell: (one) => (one.expiresAt ? <Time at={one.expiresAt} /> : <span className="muted">for good</span>),
    },
  ];
  return (
    <DataTable
      label="Artifacts"
      columns={columns}
      rows={artifacts}
      rowKey={(one) => one.id}
      footer={footer}
    />
  );
}
