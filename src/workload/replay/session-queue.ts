import type { ReplayEvent } from './events.js';

/** Events of one session that have been read and not yet run. */
export class SessionQueue {
  readonly #events: ReplayEvent[] = [];
  #head = 0;
  #wake: (() => void) | undefined;

  push(event: ReplayEvent): void {
    this.#events.push(event);
    this.#wake?.();
    this.#wake = undefined;
  }

  /** The next one, when it has been read. */
  async next(signal: AbortSignal): Promise<ReplayEvent> {
    while (this.#head === this.#events.length) {
      signal.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const abort = () => reject(signal.reason);
        signal.addEventListener('abort', abort, { once: true });
        this.#wake = () => {
          signal.removeEventListener('abort', abort);
          resolve();
        };
      });
    }
    const event = this.#events[this.#head++]!;
    if (this.#head > 1000) {
      this.#events.splice(0, this.#head);
      this.#head = 0;
    }
    return event;
  }
}
