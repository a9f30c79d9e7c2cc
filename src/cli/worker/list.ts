import type { WorkerView } from '../api-types.js';
import { command } from '../command.js';
import { limitOption } from '../limit.js';

export const listCommand = () =>
  command<{ limit: number }>({
    name: 'list',
    summary: 'the workers and what they do',
    example: 'otto worker list',
    options: [limitOption()],
    api: true,
    async run({ options, out, api }) {
      const workers = await (await api()).list<WorkerView>('/workers', {}, options.limit);
      out.result(workers, () =>
        out.table(
          ['worker', 'name', 'kind', 'how', 'state', 'host', 'running', 'note'],
          workers.map((worker) => [
            worker.id,
            worker.name,
            worker.kind,
            worker.how,
            worker.state,
            worker.info.host,
            worker.running.map((one) => `${one.runId}/${one.command}`).join(' '),
            worker.note,
          ]),
        ),
      );
    },
  });
