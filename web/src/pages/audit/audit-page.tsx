import { useInfiniteQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { auditQuery } from '../../api/queries.js';
import type { AuditEntry } from '../../api/types.js';
import { FilterBar, SearchBox } from '../../components/field.js';
import { Empty, Loaded, Page, Section } from '../../components/page.js';
import { Status } from '../../components/status.js';
import { type Column, More } from '../../components/table.js';
import { Code, json, Time } from '../../components/values.js';
import { VirtualTable } from '../../components/virtual-table.js';
import { formatCount } from '../../lib/format.js';
import { useUrlState } from '../../lib/hooks.js';

const COLUMNS: Column<AuditEntry>[] = [
  { key: 'at', header: 'When', width: '8rem', cell: (entry) => <Time at={entry.at} /> },
  {
    key: 'actor',
    header: 'Who',
    hideBelow: 48,
    width: 'minmax(5rem, 9rem)',
    cell: (entry) => <span title={entry.role}>{entry.actor}</span>,
  },
  {
    key: 'action',
    header: 'Did',
    width: 'minmax(7rem, 1fr)',
    cell: (entry) => <code>{entry.action}</code>,
  },
  { key: 'subject', header: 'To', width: 'minmax(0, 1fr)', hideBelow: 48, cell: (entry) => entry.subject },
  { key: 'role', header: 'As', width: '6rem', hideBelow: 64, cell: (entry) => entry.role },
  {
    key: 'outcome',
    header: 'Outcome',
    width: '7rem',
    hideBelow: 48,
    cell: (entry) => <Status state={entry.outcome} />,
  },
];

export function AuditPage() {
  const [params, setParams] = useUrlState();
  const q = params.get('q') ?? '';
  const audit = useInfiniteQuery(auditQuery({ q }));
  const entries = useMemo(() => audit.data?.pages.flatMap((page) => page.items) ?? [], [audit.data]);
  const setSearch = useCallback((next: string) => setParams({ q: next }), [setParams]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = audit;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <Page
      title="Audit"
      about="Who did what to what, and whether it was done, refused or failed. The latest first."
    >
      <FilterBar count={`${formatCount(entries.length)}${hasNextPage ? ' read so far' : ' entries'}`}>
        <SearchBox label="Search audit" value={q} onChange={setSearch} />
      </FilterBar>
      <Section title={q ? 'Matching entries' : 'All entries'}>
        <Loaded of={audit} rows={10}>
          {() =>
            entries.length === 0 ? (
              <Empty title={q ? 'No entry matches' : 'Nothing has been done yet'} command="otto audit" />
            ) : (
              <>
                <VirtualTable
                  label="Audit entries"
                  columns={COLUMNS}
                  rows={entries}
                  rowKey={(entry) => String(entry.id)}
                  rowName={(entry) => `${entry.action} by ${entry.actor}`}
                  maxHeight="70vh"
                  expanded={(entry) => <Code label="Detail" text={json(entry.detail)} />}
                  onEnd={more}
                />
                <More of={audit} />
              </>
            )
          }
        </Loaded>
      </Section>
    </Page>
  );
}
