import { command, flag } from '../command.js';
import { targetOption } from '../documents.js';
import { submitRun } from '../submit.js';

interface Options {
  target: string;
  time: string;
  method: string;
  follow?: boolean;
}

export const captureCommand = () =>
  command<Options>({
    name: 'capture',
    summary: 'record the workload of a target for a while, as a run',
    example: 'otto workload capture --target shop --time 5m --follow',
    options: [
      targetOption().makeOptionMandatory(),
      flag('--time <duration>', 'how long', 'OTTO_CAPTURE_TIME').default('60s'),
      flag('--method <method>', 'how', 'OTTO_CAPTURE_METHOD').choices(['auto', 'log']).default('auto'),
      flag('--follow', 'print what happens until it has ended'),
    ],
    api: true,
    async run(call) {
      const { target, time, method, follow } = call.options;
      await submitRun(call, captureDag(time, method), { target, follow: follow === true });
    },
  });

/** A worker beside the primary, and the capture. */
function captureDag(time: string, method: string) {
  return {
    name: 'capture',
    commands: [
      { command_type: 'LAUNCH_PRIMARY_WORKER', command_name: 'worker', parent_command_names: [] },
      {
        command_type: 'CAPTURE_PRIMARY_WORKLOAD',
        command_name: 'capture',
        parent_command_names: ['worker'],
        config: { time_period: time, method },
      },
    ],
  };
}
