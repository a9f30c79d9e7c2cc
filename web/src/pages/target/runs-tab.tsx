import { useInfiniteQuery } from '@tanstack/react-query';
import { runsQuery } from '../../api/queries.js';
import { Empty, Loaded, Section } from '../../components/page.js';
import { RunsTable } from '../../components/runs-table.js';
import { More } from '../../components/table.js';
import { useTarget } from './target-page.js';

export function RunsTab() {
  const target = useTarget();
  const runs = useInfiniteQuery(runsQuery({ target: target.id }));
  return (
    <Section title="Runs" about={`DAGs that ran for ${target.name}, the latest first.`}>
      <Loaded of={runs}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          return items.length === 0 ? (
            <Empty
              title="No run yet"
              command={`otto dag run docs/dags/replay.yaml --target ${target.name}`}
            />
          ) : (
            <RunsTable label="Runs" runs={items} withTarget={false} footer={<More of={runs} />} />
          );
        }}
      </Loaded>
    </Section>
  );
}
