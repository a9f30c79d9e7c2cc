import { setTimeout as delay } from 'node:timers/promises';

/** Time, injected, so that policies run unchanged in virtual time and tests do not wait. */
export interface Clock {
  /** Wall clock, ms since the epoch. May jump. */
  now(): number;
  /** Monotonic clock, ms since an arbitrary point. Never jumps: use it for durations and leases. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal ? { signal } : undefined);
  },
};
