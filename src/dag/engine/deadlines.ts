import type { Clock } from '../../base/index.js';

/**
 * Points in time of the rows (wall clock), kept on the monotonic clock from the moment they were first seen: a wall
 * clock that jumps afterwards neither brings a limit forward nor puts it off.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #due = new Map<string, { at: number; dueMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until `at`, negative once it has passed. `key` names whose it is; a new `at` begins anew. */
  leftMs(key: string, at: Date): number {
    const wall = at.getTime();
    const known = this.#due.get(key);
    if (known?.at === wall) return known.dueMs - this.#clock.monotonic();
    return this.set(key, at, wall - this.#clock.now());
  }

  /** For whoever knows better how much is left, such as the server whose clock wrote it. */
  set(key: string, at: Date, leftMs: number): number {
    this.#due.set(key, { at: at.getTime(), dueMs: this.#clock.monotonic() + leftMs });
    return leftMs;
  }
}
