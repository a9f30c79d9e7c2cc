import type { ScheduleView } from '../api-types.js';
import { command } from '../command.js';
import { findByName } from '../find.js';

export const removeCommand = () =>
  command({
    name: 'remove',
    summary: 'delete a schedule; its runs stay',
    example: 'otto schedule remove nightly',
    args: [['<schedule>', 'name or id']],
    api: true,
    async run({ args, out, api }) {
      const client = await api();
      const { id, name } = await findByName<ScheduleView>(client, '/schedules', args[0]!, 'schedule');
      await client.delete(`/schedules/${encodeURIComponent(id)}`);
      out.result({ removed: true, id, name }, () => out.line(`${name} is removed`));
    },
  });
