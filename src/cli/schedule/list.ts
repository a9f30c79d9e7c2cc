import type { ScheduleView } from '../api-types.js';
import { command } from '../command.js';
import { limitOption } from '../limit.js';

export const listCommand = () =>
  command<{ limit: number }>({
    name: 'list',
    summary: 'the schedules',
    example: 'otto schedule list',
    options: [limitOption()],
    api: true,
    async run({ options, out, api }) {
      const schedules = await (await api()).list<ScheduleView>('/schedules', {}, options.limit);
      out.result(schedules, () =>
        out.table(
          ['name', 'cron', 'time zone', 'enabled', 'next', 'last', 'last run', 'note'],
          schedules.map((one) => [
            one.name,
            one.cron,
            one.timeZone,
            one.enabled ? 'yes' : 'no',
            one.nextAt,
            one.lastAt,
            one.lastRunId,
            one.lastNote,
          ]),
        ),
      );
    },
  });
