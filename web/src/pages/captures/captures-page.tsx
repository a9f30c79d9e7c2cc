import { useInfiniteQuery } from '@tanstack/react-query';
import { capturesQuery } from '../../api/queries.js';
import { CapturesTable } from '../../components/captures-table.js';
import { FilterBar, Select } from '../../components/field.js';
import { useTargetOptions } from '../../components/links.js';
import { Empty, Loaded, Page, Section } from '../../components/page.js';
import { More } from '../../components/table.js';
import { useUrlState } from '../../lib/hooks.js';

export function CapturesPage() {
  const [params, setParams] = useUrlState();
  const target = params.get('target') ?? '';
  const captures = useInfiniteQuery(capturesQuery({ target }));
  const targets = useTargetOptions('Every target');
  return (
    <Page title="Captures" about="Recorded workloads: every statement that a server was asked for a while.">
      <FilterBar>
        <Select
          label="Target"
          value={target}
          options={targets}
          onChange={(next) => setParams({ target: next }, { push: true })}
        />
      </FilterBar>
      <Section title="All captures">
        <Loaded of={captures}>
          {({ pages }) => {
            const items = pages
              .flatMap((page) => page.items)
              .filter((capture) => !target || capture.targetId === target);
            return items.length === 0 ? (
              <Empty title="No capture yet" command="otto workload capture --target orders --time 60s">
                A capture reads the server's own log; nothing is restarted, and its settings are put back.
              </Empty>
            ) : (
              <CapturesTable captures={items} footer={<More of={captures} />} />
            );
          }}
        </Loaded>
      </Section>
    </Page>
  );
}
