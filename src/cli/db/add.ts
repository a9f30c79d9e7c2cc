import { InputError } from '../../base/index.js';
import type { TargetView } from '../api-types.js';
import { command, flag } from '../command.js';
import { readUrl } from '../secrets.js';
import { printTarget } from './print-target.js';

interface Options {
  urlFile?: string;
  replicaUrl?: string;
  replicaUrlFile?: string;
  notProduction?: boolean;
}

export const addCommand = () =>
  command<Options>({
    name: 'add',
    summary: 'add a target and check it',
    example: 'otto db add shop --url-file - < shop.url',
    args: [
      ['<name>', 'what to call it'],
      ['[url]', 'postgresql://user@host:port/database (or OTTO_URL)'],
    ],
    options: [
      flag('--url-file <file>', 'file with the connection string; - is stdin'),
      flag('--replica-url <url>', 'a replica of it'),
      flag('--replica-url-file <file>', 'file with the connection string of the replica; - is stdin'),
      flag('--not-production', 'permit what is never done to a production database, such as replaying on it'),
    ],
    api: true,
    async run({ options, args, out, api }) {
      const [name, argument] = args;
      const { urlFile: file, replicaUrlFile } = options;
      const url = await readUrl(
        {
          ...(argument !== undefined && { argument }),
          ...(file !== undefined && { file }),
          variable: 'OTTO_URL',
          flag: '--url-file',
        },
        out,
      );
      if (url === undefined || url === '') {
        throw new InputError('no connection string was given', {
          hint: 'Give it with --url-file FILE (- is stdin), in OTTO_URL, or as an argument without a password.',
        });
      }
      const replicaUrl = await readUrl(
        {
          // commander has read OTTO_REPLICA_URL into the same option; only what was typed is a risk.
          ...(options.replicaUrl !== undefined &&
            options.replicaUrl !== process.env.OTTO_REPLICA_URL && { argument: options.replicaUrl }),
          ...(replicaUrlFile !== undefined && { file: replicaUrlFile }),
          variable: 'OTTO_REPLICA_URL',
          flag: '--replica-url-file',
        },
        out,
      );
      const target = await (await api()).post<TargetView>('/targets', {
        name,
        url,
        ...(replicaUrl !== undefined && { replicaUrl }),
        production: options.notProduction !== true,
      });
      out.result(target, () => printTarget(target, out));
    },
  });
