import type { WorkerView } from '../api-types.js';
import { command } from '../command.js';
import { findByName } from '../find.js';

/** `otto worker drain` and `otto worker stop`. */
export const endCommand = (verb: 'drain' | 'stop', summary: string) =>
  command({
    name: verb,
    summary,
    example: `otto worker ${verb} db1`,
    args: [['<worker>', 'id or name']],
    api: true,
    async run({ args, out, api }) {
      const client = await api();
      const isOver = ({ state }: WorkerView) => state === 'STOPPED';
      const { id, name } = await findByName<WorkerView>(client, '/workers', args[0]!, 'worker', isOver);
      const worker = await client.post<WorkerView>(`/workers/${encodeURIComponent(id)}/${verb}`);
      out.result(worker, () =>
        out.line(verb === 'drain' ? `${name} takes nothing new` : `${name} is being stopped`),
      );
    },
  });
