import type { RunDetail } from '../api-types.js';
import { command, flag } from '../command.js';
import { announceRun } from '../submit.js';

export const resumeCommand = () =>
  command<{ follow?: boolean }>({
    name: 'resume',
    summary: 'go on with a run from the commands that did not succeed',
    example: 'otto dag resume run_01kb2v… --follow',
    args: [['<run>', 'id of the run']],
    options: [flag('--follow', 'print what happens until it has ended')],
    api: true,
    async run(call) {
      const api = await call.api();
      const run = await api.post<RunDetail>(`/runs/${encodeURIComponent(call.args[0]!)}/resume`);
      await announceRun(call, run, call.options.follow === true);
    },
  });
