import type { RunDetail } from '../api-types.js';
import { command, flag } from '../command.js';
import { announceRun } from '../submit.js';

export const cancelCommand = () =>
  command<{ follow?: boolean }>({
    name: 'cancel',
    summary: 'cancel a run; its clean-up commands still run',
    example: 'otto dag cancel run_01kb2v…',
    args: [['<run>', 'id of the run']],
    options: [flag('--follow', 'print what happens until it has ended')],
    api: true,
    async run(call) {
      const { options, args, out } = call;
      const api = await call.api();
      const run = await api.post<RunDetail>(`/runs/${encodeURIComponent(args[0]!)}/cancel`);
      if (options.follow) await announceRun(call, run, true);
      else out.result(run, () => out.line(`run ${run.id} is being cancelled`));
    },
  });
