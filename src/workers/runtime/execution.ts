import { type Clock, InputError, type Logger, OttoError, parseInput } from '../../base/index.js';
import type { CommandContext, WorkerCommand } from '../command.js';
import type { ReportState } from '../protocol.js';
import type { Outcome } from './attempt-journal.js';

/** Why a running attempt has to end before its time. */
export type Cause = 'cancel' | 'timeout' | 'lease' | 'stop' | 'drop';

const stateAfter: Record<Cause, ReportState> = {
  cancel: 'CANCELLED',
  timeout: 'TIMED_OUT',
  lease: 'FAILED',
  stop: 'FAILED',
  drop: 'CANCELLED',
};

/** The longest wait that timers of Node can express. */
const longestTimerMs = 2 ** 31 - 1;

export interface ExecutionOptions {
  command: WorkerCommand;
  config: unknown;
  timeoutMs: number;
  /** How long it may clean up once it was told to end. */
  graceMs: number;
  clock: Clock;
  logger: Logger;
  /** `signal` tells the command to end; `over` fires when whatever it does no longer counts. */
  context: (signal: AbortSignal, over: AbortSignal) => CommandContext;
}

/** One attempt being carried out. */
export class Execution {
  /** Settles when the attempt is over, also when the command hangs. */
  readonly ended: Promise<Outcome>;
  /** The command was told to end and did not: its promise is still open. */
  hangs = false;
  #cause: Cause | undefined;
  readonly #told = new AbortController();
  readonly #over = new AbortController();
  readonly #options: ExecutionOptions;

  constructor(options: ExecutionOptions) {
    this.#options = options;
    this.ended = this.#run();
  }

  /** Tells the command to end. The first cause counts. */
  end(cause: Cause, error: OttoError): void {
    if (this.#cause !== undefined || this.#over.signal.aborted) return;
    this.#cause = cause;
    this.#told.abort(error);
  }

  async #run(): Promise<Outcome> {
    const { command, config, context } = this.#options;
    const timer = this.#limit();
    try {
      const work = (async () => {
        // Whoever told it to end before it had begun means that it shall not begin.
        await Promise.resolve();
        this.#told.signal.throwIfAborted();
        const parsed = parseInput(command.type.config, config, `config of ${command.type.type}`);
        return command.run(parsed, context(this.#told.signal, this.#over.signal));
      })();
      const result = await Promise.race([
        work.then(
          (output) => ({ output }),
          (error: unknown) => ({ error }),
        ),
        this.#hang(),
      ]);
      if (result === 'hangs') {
        this.hangs = true;
        work.catch((error: unknown) => {
          this.#options.logger.warn({ err: error }, 'a command that had been given up ended');
        });
        return this.#outcomeOfHang();
      }
      return 'error' in result ? this.#outcomeOfError(result.error) : this.#outcomeOfOutput(result.output);
    } finally {
      this.#over.abort(new OttoError('ATTEMPT_OVER', 'this attempt is over: what it does no longer counts'));
      await timer;
    }
  }

  /** Ends the attempt when its time is over. */
  async #limit(): Promise<void> {
    const { clock, timeoutMs } = this.#options;
    const deadline = clock.monotonic() + timeoutMs;
    try {
      for (let left = timeoutMs; left > 0; left = deadline - clock.monotonic()) {
        await clock.sleep(Math.min(left, longestTimerMs), this.#over.signal);
      }
    } catch {
      // Over before its limit.
      return;
    }
    this.end('timeout', new OttoError('TIMED_OUT', `not done after ${timeoutMs / 1000} s`));
  }

  async #hang(): Promise<'hangs'> {
    const told = this.#told.signal;
    if (!told.aborted) {
      await new Promise<void>((resolve) => told.addEventListener('abort', () => resolve(), { once: true }));
    }
    await this.#options.clock.sleep(this.#options.graceMs, this.#over.signal).catch(() => undefined);
    return 'hangs';
  }

  #outcomeOfHang(): Outcome {
    const { command, graceMs } = this.#options;
    const error = new OttoError(
      'COMMAND_DID_NOT_STOP',
      `${command.type.type} was told to end (${reasonOf(this.#told.signal).message}) and did not within ${graceMs / 1000} s`,
      { hint: 'It may still be at work at the worker: restart the worker to be sure.' },
    );
    this.#options.logger.error({ err: error }, error.message);
    return { state: this.#cause === 'timeout' ? 'TIMED_OUT' : 'FAILED', error: error.toJSON() };
  }

  #outcomeOfOutput(output: unknown): Outcome {
    if (this.#cause !== undefined) return this.#outcomeOfCause(this.#cause);
    const { type } = this.#options.command;
    const parsed = type.output.safeParse(output);
    if (parsed.success) return { state: 'SUCCEEDED', output: parsed.data };
    const error = new OttoError('BAD_OUTPUT', `${type.type} gave an output that does not fit its schema`, {
      issues: parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })),
    });
    return { state: 'FAILED', error: error.toJSON() };
  }

  #outcomeOfError(error: unknown): Outcome {
    if (this.#cause !== undefined) return this.#outcomeOfCause(this.#cause, error);
    if (!(error instanceof InputError)) this.#options.logger.warn({ err: error }, 'a command failed');
    return { state: 'FAILED', error: OttoError.from(error, 'COMMAND_FAILED').toJSON() };
  }

  /** What it was told to end for decides; a failure of its clean-up is said as well. */
  #outcomeOfCause(cause: Cause, thrown?: unknown): Outcome {
    const reason = reasonOf(this.#told.signal);
    const failure = thrown === undefined || isAbort(thrown, reason) ? undefined : OttoError.from(thrown);
    const error = failure
      ? new OttoError(reason.code, `${reason.message}; while it ended: ${failure.message}`, {
          ...(failure.hint !== undefined && { hint: failure.hint }),
          transient: reason.transient,
        })
      : reason;
    return { state: stateAfter[cause], error: error.toJSON() };
  }
}

function reasonOf(signal: AbortSignal): OttoError {
  return OttoError.from(signal.reason);
}

/** True for an error that only says that the command was told to end. */
function isAbort(error: unknown, reason: OttoError): boolean {
  if (error === reason) return true;
  if (!(error instanceof Error)) return false;
  return error.name === 'AbortError' || error.cause === reason || (error as OttoError).code === 'CANCELLED';
}
