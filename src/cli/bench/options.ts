import type { Option } from 'commander';
import {
  formatBytes,
  formatProgress,
  InputError,
  type ProgressSink,
  throttleProgress,
} from '../../base/index.js';
import { flag } from '../command.js';
import { wholeNumber } from '../limit.js';
import { type Output, printable } from '../output.js';
import { readUrl } from '../secrets.js';

export const urlArgs: [string, string][] = [
  ['<benchmark>', 'tpcc or ycsb'],
  ['[url]', 'postgresql://user@host:port/database (or OTTO_URL)'],
];

export const urlFileOption = (): Option =>
  flag('--url-file <file>', 'file with the connection string; - is stdin');
export const seedOption = (): Option =>
  flag('--seed <number>', 'the same seed gives the same data and transactions')
    .default(1)
    .argParser(wholeNumber(0, 2 ** 31 - 1));

export async function benchUrl(
  argument: string | undefined,
  file: string | undefined,
  out: Output,
): Promise<string> {
  const url = await readUrl(
    {
      ...(argument !== undefined && { argument }),
      ...(file !== undefined && { file }),
      variable: 'OTTO_URL',
      flag: '--url-file',
    },
    out,
  );
  if (url) return url;
  throw new InputError('no connection string was given', {
    hint: 'Give it with --url-file FILE (- is stdin), in OTTO_URL, or as an argument without a password.',
  });
}

/** Progress on stderr: over one line on a terminal, line by line elsewhere. */
export function progressTo(out: Output): { progress: ProgressSink; end: () => void } {
  const terminal = process.stderr.isTTY === true;
  const progress = throttleProgress(
    (at) => {
      const text = printable(formatProgress(at, at.unit === 'bytes' ? formatBytes : String));
      if (terminal) process.stderr.write(`\r\u001b[K${text}`);
      else out.note(text);
    },
    terminal ? 250 : 5_000,
  );
  return { progress, end: () => void (terminal && process.stderr.write('\r\u001b[K')) };
}
