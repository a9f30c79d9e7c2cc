import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { workloadQuery } from '../../api/queries.js';
import { FilterBar, Select } from '../../components/field.js';
import { Empty, Loaded } from '../../components/page.js';
import { Workload } from '../../components/workload.js';
import { formatCount, formatTime } from '../../lib/format.js';
import { useUrlState } from '../../lib/hooks.js';
import { useTarget } from './target-page.js';

export function WorkloadTab() {
  const target = useTarget();
  const [params, setParams] = useUrlState();
  const chosen = params.get('capture') ?? undefined;
  const workload = useQuery(workloadQuery(target.id, chosen));
  return (
    <Loaded of={workload} rows={8} what="The workload could not be read.">
      {({ captures, latest }) => {
        if (!latest) {
          return (
            <Empty
              title="No capture yet"
              command={`otto workload capture --target ${target.name} --time 60s`}
            >
              A capture records every statement for a while, by the server's own log: its rate, its latency
              and its templates appear here.
            </Empty>
          );
        }
        const shown = chosen ?? latest.artifactId ?? captures[0]?.id ?? '';
        return (
          <div className="stack">
            <FilterBar count={<Link to={`/captures/${shown}`}>All about this capture</Link>}>
              <Select
                label="Capture"
                value={shown}
                onChange={(capture) => setParams({ capture, from: undefined, to: undefined }, { push: true })}
                options={captures.map((capture) => [
                  capture.id,
                  `Capture of ${formatTime(new Date(capture.createdAt), new Date())}${
                    capture.rows === undefined ? '' : ` · ${formatCount(capture.rows)} events`
                  }`,
                ])}
              />
            </FilterBar>
            <Workload series={latest.series} templates={latest.templates} />
          </div>
        );
      }}
    </Loaded>
  );
}
