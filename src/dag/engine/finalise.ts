import { type Clock, type Logger, OttoError } from '../../base/index.js';
import type { RunRow } from '../../store/index.js';
import type { Dispatcher } from './dispatcher.js';
import { isOutage } from './outage.js';

/** What a run leaves behind is cleared away within this time, or later by the control plane's chores. */
const limitMs = 5 * 60_000;

/** Clears a run away. A clean-up that fails or hangs does not keep the run from its end: it is noted in its log. */
export async function finalise(
  run: RunRow,
  options: { dispatcher: Pick<Dispatcher, 'finalise'>; clock: Clock; logger: Logger },
): Promise<{ level: 'info' | 'warn'; message: string }[]> {
  const { clock, dispatcher, logger } = options;
  const done = new AbortController();
  const limit = clock.sleep(limitMs, done.signal).then(() => {
    throw new OttoError('TIMED_OUT', `not done after ${limitMs / 1000} s`);
  });
  try {
    return await Promise.race([dispatcher.finalise(run), limit]);
  } catch (error) {
    if (isOutage(error)) throw error;
    logger.warn({ err: error, run: run.id }, 'a run was not cleared away in full');
    const message = `what the run left behind is not all cleared away yet: ${OttoError.from(error).message}`;
    return [{ level: 'warn', message }];
  } finally {
    limit.catch(() => {});
    done.abort();
  }
}
