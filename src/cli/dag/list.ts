import { formatDuration } from '../../base/index.js';
import type { RunListItem } from '../api-types.js';
import { command, flag } from '../command.js';
import { targetOption } from '../documents.js';
import { limitOption } from '../limit.js';

interface Options {
  state?: string;
  target?: string;
  limit: number;
}

export const listCommand = () =>
  command<Options>({
    name: 'list',
    summary: 'runs, newest first',
    example: 'otto dag list --state FAILED',
    options: [
      flag('--state <state>', 'only runs in this state').choices([
        'PENDING',
        'RUNNING',
        'SUCCEEDED',
        'FAILED',
        'CANCELLED',
        'TIMED_OUT',
      ]),
      targetOption(),
      limitOption(),
    ],
    api: true,
    async run({ options, out, api }) {
      const { state, target, limit } = options;
      const runs = await (await api()).list<RunListItem>('/runs', { state, target }, limit);
      out.result(runs, () =>
        out.table(
          ['run', 'name', 'state', 'target', 'commands', 'took', 'created', 'by'],
          runs.map((run) => [
            run.id,
            run.name,
            run.state,
            run.targetName,
            `${run.commands.succeeded}/${run.commands.total}`,
            run.durationMs === undefined ? '' : formatDuration(run.durationMs),
            run.createdAt,
            run.createdBy,
          ]),
        ),
      );
    },
  });
