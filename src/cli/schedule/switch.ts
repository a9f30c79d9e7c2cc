import type { ScheduleView } from '../api-types.js';
import { command } from '../command.js';
import { findByName } from '../find.js';

/** `otto schedule enable` and `otto schedule disable`. */
export const switchCommand = (verb: 'enable' | 'disable', summary: string) =>
  command({
    name: verb,
    summary,
    example: `otto schedule ${verb} nightly`,
    args: [['<schedule>', 'name or id']],
    api: true,
    async run({ args, out, api }) {
      const client = await api();
      const { id } = await findByName<ScheduleView>(client, '/schedules', args[0]!, 'schedule');
      const path = `/schedules/${encodeURIComponent(id)}`;
      const schedule = await client.patch<ScheduleView>(path, { enabled: verb === 'enable' });
      out.result(schedule, () => out.line(`${schedule.name} is ${verb}d`));
    },
  });
