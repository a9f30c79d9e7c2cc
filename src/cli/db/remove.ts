import type { TargetView } from '../api-types.js';
import { command } from '../command.js';
import { findByName } from '../find.js';

export const removeCommand = () =>
  command({
    name: 'remove',
    summary: 'forget a target; nothing is done to the database',
    example: 'otto db remove shop',
    args: [['<target>', 'name or id']],
    api: true,
    async run({ args, out, api }) {
      const client = await api();
      const { id, name } = await findByName<TargetView>(client, '/targets', args[0]!, 'target');
      await client.delete(`/targets/${encodeURIComponent(id)}`);
      out.result({ removed: true, id, name }, () => out.line(`${name} is removed`));
    },
  });
