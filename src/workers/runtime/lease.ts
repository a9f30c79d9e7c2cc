import type { Clock } from '../../base/index.js';

/**
 * The right to have effects, lent by the control plane and counted on the monotonic clock from the moment a heartbeat
 * was *sent*: so it ends here no later than it ends there.
 */
export class Lease {
  /** Epoch of the last grant; 0 before the first. */
  epoch = 0n;
  #held = false;
  #durationMs = 0;
  #deadline = 0;
  #watch = new AbortController();
  readonly #clock: Clock;
  readonly #onLost: () => void;

  constructor(clock: Clock, onLost: () => void) {
    this.#clock = clock;
    this.#onLost = onLost;
  }

  get held(): boolean {
    return this.#held && this.#clock.monotonic() < this.#deadline;
  }

  grant(epoch: bigint, durationMs: number, sentAt: number): void {
    this.epoch = epoch;
    this.#durationMs = durationMs;
    this.#deadline = sentAt + durationMs;
    if (!this.#held) {
      this.#held = true;
      this.#watch = new AbortController();
      void this.#run(this.#watch.signal);
    }
  }

  renew(sentAt: number): void {
    if (this.#held) this.#deadline = Math.max(this.#deadline, sentAt + this.#durationMs);
  }

  /** Stops watching; onLost is not called. */
  close(): void {
    this.#held = false;
    this.#watch.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const left = this.#deadline - this.#clock.monotonic();
      if (left <= 0) {
        this.#held = false;
        this.#onLost();
        return;
      }
      try {
        await this.#clock.sleep(left, signal);
      } catch {
        // Only close() ends the wait early.
        return;
      }
    }
  }
}
