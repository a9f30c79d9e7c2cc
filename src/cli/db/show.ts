import type { TargetView } from '../api-types.js';
import { command } from '../command.js';
import { printTarget } from './print-target.js';

export const showCommand = () =>
  command({
    name: 'show',
    summary: 'one target, as it was found when last checked',
    example: 'otto db show shop',
    args: [['<target>', 'name or id']],
    api: true,
    async run({ args, out, api }) {
      const target = await (await api()).get<TargetView>(`/targets/${encodeURIComponent(args[0]!)}`);
      out.result(target, () => printTarget(target, out));
    },
  });
