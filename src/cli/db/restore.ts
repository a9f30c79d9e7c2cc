import type { TargetView } from '../api-types.js';
import { command } from '../command.js';
import { findByName } from '../find.js';

interface ChangeView {
  setting: string;
  server: string;
  state: string;
  note?: string;
}

export const restoreCommand = () =>
  command({
    name: 'restore',
    summary: 'put back now the settings that an ended run could not put back',
    example: 'otto db restore shop',
    args: [['<target>', 'name or id']],
    api: true,
    async run({ args, out, api }) {
      const client = await api();
      const target = await findByName<TargetView>(client, '/targets', args[0]!, 'target');
      const { items } = await client.post<{ items: ChangeView[] }>('/changes/restore', {
        targetId: target.id,
      });
      const count = target.openChanges.length;
      out.result({ restored: count, changes: items }, () =>
        out.line(count === 0 ? `${target.name} has no open changes` : `${count} put back on ${target.name}`),
      );
    },
  });
