import type { CloneView } from '../api-types.js';
import { command } from '../command.js';

export const stopCommand = () =>
  command({
    name: 'stop',
    summary: 'stop and delete a copy',
    example: 'otto clone stop clone_01kb2v…',
    args: [['<clone>', 'id of the copy']],
    api: true,
    async run({ args, out, api }) {
      const clone = await (await api()).post<CloneView>(`/clones/${encodeURIComponent(args[0]!)}/stop`);
      out.result(clone, () => out.line(`${args[0]} is being stopped`));
    },
  });
