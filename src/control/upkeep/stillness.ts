import type { Clock } from '../../base/index.js';

/**
 * Tells which leases are no longer renewed, without comparing anybody's wall clocks: a lease is dead when its row has
 * not changed for the length of a lease by our own monotonic clock. A clock that jumps, here, at the database or at the
 * holder, kills nobody.
 */
export class Stillness {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #seen = new Map<string, { mark: string; since: number }>();

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** Of the leases given (id and a mark that every renewal changes), those that stood still too long. */
  stale(leases: readonly { id: string; mark: string }[]): string[] {
    const now = this.#clock.monotonic();
    const present = new Set(leases.map((lease) => lease.id));
    for (const id of this.#seen.keys()) if (!present.has(id)) this.#seen.delete(id);
    return leases
      .filter(({ id, mark }) => {
        const known = this.#seen.get(id);
        if (known?.mark === mark) return now - known.since >= this.#limitMs;
        this.#seen.set(id, { mark, since: now });
        return false;
      })
      .map((lease) => lease.id);
  }
}
