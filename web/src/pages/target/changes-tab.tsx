import { useInfiniteQuery } from '@tanstack/react-query';
import { changesQuery } from '../../api/queries.js';
import { ChangesTable, RestoreButton } from '../../components/changes.js';
import { Empty, Loaded, Section } from '../../components/page.js';
import { More } from '../../components/table.js';
import { useTarget } from './target-page.js';

export function ChangesTab() {
  const target = useTarget();
  const changes = useInfiniteQuery(changesQuery({ target: target.id }));
  return (
    <Section
      title="Journal of changes"
      about="Every setting that we changed: what stood before, ours, and what became of it."
      actions={<RestoreButton target={target} changes={target.openChanges} />}
    >
      <Loaded of={changes}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items).filter((change) => change.targetId === target.id);
          return items.length === 0 ? (
            <Empty
              title="Nothing was ever changed on it"
              command={`otto workload capture --target ${target.name} --time 60s`}
            >
              A capture may need other log settings for its time; each would be written down here first.
            </Empty>
          ) : (
            <ChangesTable label="Changes" changes={items} footer={<More of={changes} />} />
          );
        }}
      </Loaded>
    </Section>
  );
}
