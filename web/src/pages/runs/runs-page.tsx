import { useInfiniteQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useCallback } from 'react';
import { Link } from 'react-router';
import { runsQuery } from '../../api/queries.js';
import type { RunState } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { FilterBar, SearchBox, Select } from '../../components/field.js';
import { useTargetOptions } from '../../components/links.js';
import { Empty, Loaded, Page, Section } from '../../components/page.js';
import { RunsTable } from '../../components/runs-table.js';
import { More } from '../../components/table.js';
import { useUrlState } from '../../lib/hooks.js';

const STATES: readonly (readonly [RunState | '', string])[] = [
  ['', 'Every state'],
  ['PENDING', 'Pending'],
  ['RUNNING', 'Running'],
  ['SUCCEEDED', 'Succeeded'],
  ['FAILED', 'Failed'],
  ['CANCELLED', 'Cancelled'],
  ['TIMED_OUT', 'Timed out'],
];

export function RunsPage() {
  const [params, setParams] = useUrlState();
  const filter = {
    state: params.get('state') ?? '',
    target: params.get('target') ?? '',
    q: params.get('q') ?? '',
  };
  const runs = useInfiniteQuery(runsQuery(filter));
  const targets = useTargetOptions('Every target');
  const filtered = Object.values(filter).some(Boolean);
  const setSearch = useCallback((q: string) => setParams({ q }), [setParams]);
  return (
    <Page
      title="Runs"
      about="Every DAG that was carried out, the latest first: what ran, for which target, and how it ended."
      actions={
        <Button asChild look="primary">
          <Link to="/runs/new">
            <Plus aria-hidden="true" />
            New run
          </Link>
        </Button>
      }
    >
      <FilterBar>
        <SearchBox label="Search runs" value={filter.q} onChange={setSearch} />
        <Select
          label="State"
          value={filter.state}
          options={STATES}
          onChange={(state) => setParams({ state }, { push: true })}
        />
        <Select
          label="Target"
          value={filter.target}
          options={targets}
          onChange={(target) => setParams({ target }, { push: true })}
        />
        {filtered && (
          <Button look="ghost" onClick={() => setParams({ state: '', target: '', q: '' }, { push: true })}>
            Clear filters
          </Button>
        )}
      </FilterBar>
      <Section title={filtered ? 'Matching runs' : 'All runs'}>
        <Loaded of={runs} rows={8}>
          {({ pages }) => {
            const items = pages.flatMap((page) => page.items);
            if (items.length > 0) return <RunsTable label="Runs" runs={items} footer={<More of={runs} />} />;
            return filtered ? (
              <Empty title="No run matches" command="otto dag list">
                Other filters may find it.
              </Empty>
            ) : (
              <Empty title="No run yet" command="otto dag run docs/dags/replay.yaml --target orders">
                A run carries out a DAG of commands. Write one in the editor, or submit a file.
              </Empty>
            );
          }}
        </Loaded>
      </Section>
    </Page>
  );
}
