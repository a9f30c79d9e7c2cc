import { InputError, OttoError } from '../base/index.js';
import { describeError, isDocumentWritten } from './output.js';

/** Prints a failure and gives the exit status: 2 for a wrong input, 130 when interrupted, 1 otherwise. */
export function reportFailure(thrown: unknown, options: { json: boolean }): number {
  if ((thrown as Error)?.name === 'AbortError') {
    process.stderr.write('otto: interrupted\n');
    return 130;
  }
  const error = OttoError.from(thrown);
  if (options.json && !isDocumentWritten())
    process.stdout.write(`${JSON.stringify({ error: error.toJSON() })}\n`);
  process.stderr.write(`${describeError(error.toJSON())}\n`);
  // A failure that is not ours is a bug: show where, when asked.
  if (error.code === 'INTERNAL' && process.env.OTTO_LOG === 'debug' && thrown instanceof Error) {
    process.stderr.write(`${thrown.stack}\n`);
  }
  return error instanceof InputError ? 2 : 1;
}
