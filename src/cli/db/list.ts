import type { TargetView } from '../api-types.js';
import { command } from '../command.js';
import { limitOption } from '../limit.js';
import { addressText } from './print-target.js';

export const listCommand = () =>
  command<{ limit: number }>({
    name: 'list',
    summary: 'the targets',
    example: 'otto db list --json',
    options: [limitOption()],
    api: true,
    async run({ options, out, api }) {
      const targets = await (await api()).list<TargetView>('/targets', {}, options.limit);
      out.result(targets, () =>
        out.table(
          ['name', 'state', 'address', 'replica', 'version', 'production'],
          targets.map((target) => [
            target.name,
            target.state,
            addressText(target.address),
            addressText(target.replicaAddress),
            target.health?.version,
            target.production ? 'yes' : 'no',
          ]),
        ),
      );
    },
  });
