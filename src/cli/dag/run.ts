import { command, flag } from '../command.js';
import { paramOption, readDocument, readParams, targetOption } from '../documents.js';
import { submitRun } from '../submit.js';

interface Options {
  target?: string;
  param?: string[];
  follow?: boolean;
}

export const runCommand = () =>
  command<Options>({
    name: 'run',
    summary: 'start a run of a DAG',
    example: 'otto dag run docs/dags/replay.yaml --target shop --param capture_for=5m --follow',
    args: [['<file>', 'the DAG, JSON or YAML; - is stdin']],
    options: [targetOption(), paramOption(), flag('--follow', 'print what happens until it has ended')],
    api: true,
    async run(call) {
      const { options, args } = call;
      const document = await readDocument(args[0]!);
      await submitRun(call, document.text, {
        ...(options.target !== undefined && { target: options.target }),
        parameters: readParams(options.param),
        follow: options.follow === true,
      });
    },
  });
