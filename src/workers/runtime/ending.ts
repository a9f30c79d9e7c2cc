import { type Clock, OttoError } from '../../base/index.js';
import type { Attempts } from './attempts.js';

export interface EndingOptions {
  attempts: Attempts;
  attached: () => boolean;
  clock: Clock;
  /** How long draining waits for what runs before it is ended. */
  drainLimitMs: number;
}

/** How long a worker that stops waits for its last reports to be stored: they are on its disk as well. */
const lastReportsMs = 5000;

/** Knows whether the worker is to end, and when nothing is left to wait for. */
export class Ending {
  readonly #options: EndingOptions;
  readonly #end = new AbortController();
  readonly #closed = new AbortController();
  #mode: 'serving' | 'draining' | 'stopping' = 'serving';
  #why = '';
  #awaitsLastReports = false;

  constructor(options: EndingOptions) {
    this.#options = options;
  }

  /** Aborted once the worker can end. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** In words, once it can end. */
  get reason(): string {
    return String(this.#end.signal.reason);
  }

  /** Takes nothing new; ends when idle, or stops when that takes too long. */
  drain(why: string): void {
    if (this.#mode !== 'serving') return;
    this.#mode = 'draining';
    this.#why = why;
    const { attempts, drainLimitMs } = this.#options;
    attempts.refuse(
      new OttoError('WORKER_DRAINING', 'the worker takes nothing new: it is draining', { transient: true }),
    );
    this.#after(drainLimitMs, () => {
      this.stop(`${why}, and what ran did not end within ${drainLimitMs / 1000} s`);
    });
    this.consider();
  }

  /** Ends what runs, then itself. */
  stop(why: string): void {
    if (this.#mode === 'stopping') return;
    this.#mode = 'stopping';
    this.#why = why;
    const error = new OttoError('WORKER_STOPPED', `the worker was stopped: ${why}`, { transient: true });
    this.#options.attempts.refuse(error);
    this.#options.attempts.endAll('stop', error);
    this.consider();
  }

  /** Looks whether it can end; to be called whenever something may have changed. */
  consider(): void {
    const { attempts, attached } = this.#options;
    if (this.#mode === 'serving' || attempts.running.length > 0) return;
    if (attempts.size === 0) this.end(this.#why);
    else if (this.#mode === 'stopping' && !attached()) this.end(this.#why);
    else if (this.#mode === 'stopping') this.#awaitLastReports();
  }

  end(reason: string): void {
    this.#end.abort(reason);
  }

  /** Forgets its timers. */
  close(): void {
    this.#closed.abort();
  }

  #awaitLastReports(): void {
    if (this.#awaitsLastReports) return;
    this.#awaitsLastReports = true;
    this.#after(lastReportsMs, () => this.end(this.#why));
  }

  #after(ms: number, action: () => void): void {
    this.#options.clock.sleep(ms, AbortSignal.any([this.#end.signal, this.#closed.signal])).then(
      action,
      // Ended before.
      () => undefined,
    );
  }
}
