import { z } from 'zod';
import { InputError, parseDuration } from '../../base/index.js';

/** Seconds as a number, or text such as `90s`, `5m`, `1h30m`. Read with parseDuration. */
export const duration = z.union([z.number(), z.string()]).superRefine((value, context) => {
  try {
    if (parseDuration(value) <= 0) context.addIssue('must be longer than nothing');
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    context.addIssue(`${error.message}. ${error.hint}`);
  }
});

const sizeUnits: Record<string, number> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 };

/** Bytes as a number, or text such as `512MB`, in powers of 1024 as PostgreSQL counts. Read with parseSize. */
export const size = z
  .union([z.number().int().positive(), z.string()])
  .refine(
    (value) => parseSize(value) !== undefined,
    'write bytes as a number, or text such as "512MB" or "2GB"',
  );

export function parseSize(value: number | string): number | undefined {
  if (typeof value === 'number') return value;
  const match = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb|tb)$/i.exec(value.trim());
  const bytes = match ? Math.round(Number(match[1]) * sizeUnits[match[2]!.toLowerCase()]!) : 0;
  return bytes > 0 ? bytes : undefined;
}

/** The name of a command of the same DAG. */
export const commandName = z.string().min(1);
