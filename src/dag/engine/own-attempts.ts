import { type Clock, type Logger, OttoError } from '../../base/index.js';
import type { Database } from '../../store/index.js';
import type { AttemptSpec, Dispatcher } from './dispatcher.js';
import { isOutage } from './outage.js';
import { type AttemptEnd, reportAttempt } from './report-attempt.js';

export interface OwnAttemptsOptions {
  db: Database;
  dispatcher: Pick<Dispatcher, 'carryOut'>;
  clock: Clock;
  logger: Logger;
  /** A line for the log of the run. */
  log(command: string, message: string): Promise<void>;
  /** An attempt has ended, and its end is written. */
  onEnd(): void;
}

/** The longest pause between two tries to write the end of an attempt. */
const longestPauseMs = 2_000;
/** Timers beyond 2^31 ms fire at once. */
const maxTimerMs = 2 ** 31 - 1;

/** The attempts of a run that this control plane itself carries out; their ends are written like a worker's reports. */
export class OwnAttempts {
  readonly #options: OwnAttemptsOptions;
  readonly #inHand = new Map<string, AbortController>();
  readonly #abandoned = new AbortController();

  constructor(options: OwnAttemptsOptions) {
    this.#options = options;
  }

  /** Begins an attempt, unless it is in hand already. */
  begin(spec: AttemptSpec, leftMs: number): void {
    if (this.#inHand.has(spec.id)) return;
    const abort = new AbortController();
    this.#inHand.set(spec.id, abort);
    const timer = setTimeout(
      () => abort.abort(new OttoError('TIMED_OUT', 'the limit of the attempt has passed')),
      Math.min(maxTimerMs, Math.max(0, leftMs)),
    );
    void this.#carryOut(spec, abort.signal)
      .then(
        (output): AttemptEnd => ({ state: 'SUCCEEDED', output, error: null }),
        (error: unknown) => failure(error, abort.signal),
      )
      .then(async (end) => {
        clearTimeout(timer);
        // Left for the next driver: it carries the same attempt out again.
        if (this.#abandoned.signal.aborted) return;
        await this.#writeEnd(spec.id, end);
        this.#inHand.delete(spec.id);
        this.#options.onEnd();
      })
      .catch((error: unknown) =>
        this.#options.logger.error({ err: error, attempt: spec.id }, 'the end of an attempt was not written'),
      );
  }

  abort(id: string, reason: OttoError): void {
    this.#inHand.get(id)?.abort(reason);
  }

  /** Stops everything without writing an end: the rows stay as they are for the next driver. */
  abandon(): void {
    this.#abandoned.abort();
    const reason = new OttoError('CONTROL_PLANE_STOPS', 'the control plane stops');
    for (const controller of this.#inHand.values()) controller.abort(reason);
  }

  /** Carried out again where our database was away in between: the same attempt may come twice. */
  async #carryOut(spec: AttemptSpec, signal: AbortSignal): Promise<unknown> {
    const { dispatcher, clock, logger } = this.#options;
    const log = (message: string) => void this.#options.log(spec.command.name, message).catch(() => {});
    for (let failures = 0; ; failures += 1) {
      try {
        return await dispatcher.carryOut(spec, { signal, log });
      } catch (error) {
        if (signal.aborted || !isOutage(error)) throw error;
        logger.warn(
          { err: error, attempt: spec.id },
          'the database is away; the attempt goes on when it is back',
        );
        await clock.sleep(pauseMs(failures), signal);
      }
    }
  }

  /** The effect has happened: its end is written however long the database is away. */
  async #writeEnd(id: string, end: AttemptEnd): Promise<void> {
    const { db, clock, logger } = this.#options;
    const { signal } = this.#abandoned;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await reportAttempt(db, id, end);
        return;
      } catch (error) {
        logger.warn({ err: error, attempt: id }, 'the end of an attempt could not be written; trying again');
        await clock.sleep(pauseMs(failures), signal).catch(() => {});
      }
    }
  }
}

function pauseMs(failures: number): number {
  return Math.min(50 * 2 ** failures, longestPauseMs);
}

function failure(error: unknown, signal: AbortSignal): AttemptEnd {
  const known = OttoError.from(error);
  const reason = signal.aborted ? (signal.reason as OttoError).code : undefined;
  if (reason === 'TIMED_OUT') {
    return { state: 'TIMED_OUT', output: null, error: (signal.reason as OttoError).toJSON() };
  }
  return { state: reason === 'CANCELLED' ? 'CANCELLED' : 'FAILED', output: null, error: known.toJSON() };
}
