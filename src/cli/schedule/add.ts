import type { ScheduleView } from '../api-types.js';
import { command, flag } from '../command.js';
import { paramOption, readDocument, readParams, targetOption } from '../documents.js';

interface Options {
  target?: string;
  param?: string[];
  timeZone: string;
  overlap: string;
}

export const addCommand = () =>
  command<Options>({
    name: 'add',
    summary: 'run a DAG by the clock',
    example:
      'otto schedule add nightly "0 3 * * *" docs/dags/replay.yaml --target shop --time-zone Europe/Vienna',
    args: [
      ['<name>', 'what to call it'],
      ['<cron>', 'five or six cron fields'],
      ['<file>', 'the DAG, JSON or YAML; - is stdin'],
    ],
    options: [
      targetOption(),
      paramOption(),
      flag('--time-zone <zone>', 'IANA name of the time zone').default('UTC'),
      flag('--overlap <what>', 'when the last run has not ended').choices(['skip', 'allow']).default('skip'),
    ],
    api: true,
    async run({ options, args, out, api }) {
      const [name, cron, file] = args;
      const parameters = readParams(options.param);
      const schedule = await (await api()).post<ScheduleView>('/schedules', {
        name,
        cron,
        timeZone: options.timeZone,
        overlap: options.overlap,
        document: (await readDocument(file!)).text,
        ...(parameters && { parameters }),
        ...(options.target !== undefined && { target: options.target }),
      });
      out.result(schedule, () => out.line(`${schedule.name} runs next at ${schedule.nextAt ?? 'no time'}`));
    },
  });
