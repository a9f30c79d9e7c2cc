import type { RunDetail } from '../api-types.js';
import { command, flag } from '../command.js';
import { failUnlessSucceeded, followRun, printRun } from '../follow.js';

export const statusCommand = () =>
  command<{ follow?: boolean }>({
    name: 'status',
    summary: 'where a run stands; status 1 when it has failed',
    example: 'otto dag status run_01kb2v… --follow',
    args: [['<run>', 'id of the run']],
    options: [flag('--follow', 'print what happens until it has ended')],
    api: true,
    async run(call) {
      const { options, args, out } = call;
      const api = await call.api();
      const id = args[0]!;
      if (options.follow) {
        await followRun(api, id, out, call.signal);
        return;
      }
      const run = await api.get<RunDetail>(`/runs/${encodeURIComponent(id)}`);
      out.result(run, () => printRun(run, out));
      failUnlessSucceeded(run);
    },
  });
