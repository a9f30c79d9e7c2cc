import { useInfiniteQuery } from '@tanstack/react-query';
import { capturesQuery } from '../../api/queries.js';
import { CapturesTable } from '../../components/captures-table.js';
import { Empty, Loaded, Section } from '../../components/page.js';
import { More } from '../../components/table.js';
import { useTarget } from './target-page.js';

export function CapturesTab() {
  const target = useTarget();
  const captures = useInfiniteQuery(capturesQuery({ target: target.id }));
  return (
    <Section title="Captures" about={`Recorded workloads of ${target.name}.`}>
      <Loaded of={captures}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          return items.length === 0 ? (
            <Empty
              title="No capture yet"
              command={`otto workload capture --target ${target.name} --time 60s`}
            />
          ) : (
            <CapturesTable captures={items} withTarget={false} footer={<More of={captures} />} />
          );
        }}
      </Loaded>
    </Section>
  );
}
