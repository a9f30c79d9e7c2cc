import { setTimeout as delay } from 'node:timers/promises';

/**
 * Does `work` whenever it was asked to since it last began, one at a time, at most once each `intervalMs`. A hundred
 * hints in a moment cost one look.
 */
export class Pump {
  readonly #work: () => Promise<void>;
  readonly #options: { intervalMs: number; signal: AbortSignal; onError: (error: unknown) => void };
  #asked = false;
  #running = false;

  constructor(
    work: () => Promise<void>,
    options: { intervalMs: number; signal: AbortSignal; onError: (error: unknown) => void },
  ) {
    this.#work = work;
    this.#options = options;
  }

  ask(): void {
    this.#asked = true;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    const { intervalMs, signal, onError } = this.#options;
    this.#running = true;
    try {
      while (this.#asked && !signal.aborted) {
        this.#asked = false;
        await this.#work();
        await delay(intervalMs, undefined, { signal, ref: false });
      }
    } catch (error) {
      if (!signal.aborted) onError(error);
    } finally {
      this.#running = false;
    }
  }
}
