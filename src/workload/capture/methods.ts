import { InputError, OttoError, systemClock } from '../../base/index.js';
import { Control } from './control.js';
import { openLog } from './preflight.js';
import type { CaptureMethod, MethodVerdict } from './types.js';

const notYet = {
  statements: 'pg_stat_statements',
  proxy: 'a wire-protocol proxy',
  import: 'log files of the user',
};

/**
 * The method to use.
 * @throws InputError METHOD_NOT_AVAILABLE for one that is known but not built yet, INVALID_INPUT for any other name.
 */
export function chooseMethod(asked: string): CaptureMethod {
  if (asked === 'auto' || asked === 'log') return 'log';
  const later = Object.entries(notYet).find(([name]) => name === asked);
  if (later) {
    throw new InputError(`capture method "${asked}" (${later[1]}) is not available yet`, {
      code: 'METHOD_NOT_AVAILABLE',
      hint: 'Use "log" or "auto".',
    });
  }
  throw new InputError(`"${asked}" is not a capture method`, { hint: 'Use "log" or "auto".' });
}

/** Which capture methods a server allows, and why or why not. Reads only. */
export async function captureMethods(url: string, signal?: AbortSignal): Promise<MethodVerdict[]> {
  return [
    await logVerdict(url, signal),
    { method: 'statements', possible: false, why: 'not available in this version' },
    { method: 'proxy', possible: false, why: 'not available in this version' },
  ];
}

async function logVerdict(url: string, signal?: AbortSignal): Promise<MethodVerdict> {
  const control = new Control({ url, clock: systemClock, reconnectMs: 0, signal });
  try {
    const { source, why } = await openLog(control);
    await source.close();
    return { method: 'log', possible: true, why };
  } catch (error) {
    if (!(error instanceof OttoError) || !/^(LOG_|UNSUPPORTED)/.test(error.code)) throw error;
    return { method: 'log', possible: false, why: error.message, ...(error.hint && { hint: error.hint }) };
  } finally {
    await control.close();
  }
}
