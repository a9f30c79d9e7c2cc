import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { InputError } from '../base/index.js';
import { flag, repeatable } from './command.js';

export const targetOption = () => flag('--target <name>', 'name or id of the target');
export const paramOption = () => repeatable('--param <name=value>', 'value of a parameter');

/** A DAG document as text; `-` is stdin. */
export async function readDocument(file: string): Promise<{ text: string; name: string }> {
  if (file === '-') return { text: await text(process.stdin), name: 'stdin' };
  try {
    return { text: await readFile(file, 'utf8'), name: basename(file).replace(/\.[^.]*$/, '') };
  } catch (error) {
    throw new InputError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, {
      where: file,
      cause: error,
    });
  }
}

/** `--param a=1 --param b=x`. The values stay text: their types are in the document. */
export function readParams(params: string[] | string | undefined): Record<string, string> | undefined {
  if (params === undefined) return undefined;
  const list = Array.isArray(params) ? params : [params];
  return Object.fromEntries(
    list.map((param) => {
      const equals = param.indexOf('=');
      if (equals < 1) {
        throw new InputError(`"${param}" is not a parameter`, { hint: 'Write --param name=value.' });
      }
      return [param.slice(0, equals), param.slice(equals + 1)];
    }),
  );
}
