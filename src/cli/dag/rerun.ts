import type { RunDetail } from '../api-types.js';
import { command, flag } from '../command.js';
import { paramOption, readParams } from '../documents.js';
import { announceRun } from '../submit.js';

interface Options {
  param?: string[];
  follow?: boolean;
}

export const rerunCommand = () =>
  command<Options>({
    name: 'rerun',
    summary: 'run the same DAG again, as a new run, with other parameters if given',
    example: 'otto dag rerun run_01kb2v… --param capture_for=10m --follow',
    args: [['<run>', 'id of the run']],
    options: [paramOption(), flag('--follow', 'print what happens until it has ended')],
    api: true,
    async run(call) {
      const api = await call.api();
      const parameters = readParams(call.options.param);
      const path = `/runs/${encodeURIComponent(call.args[0]!)}/rerun`;
      const run = await api.post<RunDetail>(path, parameters ? { parameters } : {});
      await announceRun(call, run, call.options.follow === true);
    },
  });
