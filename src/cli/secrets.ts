import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { InputError } from '../base/index.js';
import type { Output } from './output.js';

/** The text of a file, or of stdin for `-`, without the newline at its end. */
export async function readSecret(file: string): Promise<string> {
  if (file === '-') return (await text(process.stdin)).trim();
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new InputError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, {
      where: file,
      cause: error,
    });
  }
}

/** A connection string by the ways it may come: a file or stdin, an argument, an environment variable. */
export async function readUrl(
  sources: { argument?: string; file?: string; variable: string; flag: string },
  out: Pick<Output, 'note'>,
): Promise<string | undefined> {
  const { argument, file, variable, flag } = sources;
  if (argument !== undefined && file !== undefined) {
    throw new InputError(`a connection string came as an argument and by ${flag}; give one`);
  }
  if (file !== undefined) return await readSecret(file);
  if (argument === undefined) return process.env[variable];
  if (/^[a-z]+:\/\/[^/@]*:[^/@]+@/i.test(argument) || /[?&\s]password=/i.test(argument)) {
    out.note(
      `warning: others on this machine can see a password on the command line; use ${flag} or ${variable}`,
    );
  }
  return argument;
}
