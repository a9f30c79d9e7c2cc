import { type Clock, type Logger, OttoError } from '../../base/index.js';
import type { Assignment } from '../gen/otto/worker/v1/worker_pb.js';
import type { AttemptJournal, AttemptRecord, Outcome } from './attempt-journal.js';
import { type Cause, Execution, type ExecutionOptions } from './execution.js';
import type { Outgoing } from './session.js';

interface Attempt {
  record: AttemptRecord;
  execution?: Execution;
  /** It was told to end before its command had begun. */
  endSoon?: { cause: Cause; error: OttoError };
  /** No longer wanted: it ends, and nothing is reported. */
  dropped: boolean;
  reportedAt?: number;
}

export interface AttemptsOptions {
  journal: AttemptJournal;
  clock: Clock;
  logger: Logger;
  epoch: () => bigint;
  send: (message: Outgoing) => void;
  /** What is needed to carry it out, or an error that says why this worker cannot. */
  prepare: (assignment: Assignment) => ExecutionOptions;
  /** Called whenever an attempt has left the hand of this worker. */
  onChange: () => void;
}

const reportAgainAfterMs = 5000;
const rememberedIds = 10_000;

/**
 * The attempts in hand: each is carried out once however often it is assigned, and kept on disk until the control
 * plane has stored its outcome.
 */
export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #attempts = new Map<string, Attempt>();
  /** Settled attempts: an assignment of one of them that was still under way is not a new one. */
  readonly #settled = new Set<string>();
  /** `run/command` of commands that were given up because they did not end. */
  readonly hung: string[] = [];
  readonly #following = new Set<Promise<void>>();
  /** The end of what is at work for a command (`run/command`): its attempts share folders and names. */
  readonly #atWork = new Map<string, Promise<void>>();
  #refusing: OttoError | undefined;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** What an earlier process left: what it had not ended is reported as failed. */
  async recover(): Promise<void> {
    for (const record of await this.#options.journal.load()) {
      const attempt: Attempt = { record, dropped: false };
      this.#attempts.set(record.attemptId, attempt);
      if (record.state === 'ended') continue;
      const error = new OttoError('WORKER_RESTARTED', 'the worker was restarted while it carried this out', {
        transient: true,
      });
      await this.#settle(attempt, { state: 'FAILED', error: error.toJSON() });
    }
  }

  /** Attempts that are carried out or have yet to be reported. */
  ids(): string[] {
    return [...this.#attempts].filter(([, attempt]) => !attempt.dropped).map(([id]) => id);
  }

  /** Attempts whose command is at work or about to be (dropped ones that clean up included). */
  get running(): AttemptRecord[] {
    return [...this.#attempts.values()]
      .filter((attempt) => attempt.execution || attempt.record.state !== 'ended')
      .map(({ record }) => record);
  }

  get size(): number {
    return this.#attempts.size;
  }

  /** Resolves once no command is at work. */
  async idle(): Promise<void> {
    while (this.#following.size > 0) await Promise.all(this.#following);
  }

  /** From now on new assignments fail with this error. */
  refuse(error: OttoError): void {
    this.#refusing = error;
  }

  async assign(assignment: Assignment): Promise<void> {
    const id = assignment.attemptId;
    if (this.#settled.has(id)) return;
    if (assignment.leaseEpoch < this.#options.epoch()) {
      this.#options.logger.warn({ attempt: id }, 'an assignment under an older lease was ignored');
      return;
    }
    const known = this.#attempts.get(id);
    if (known) {
      if (known.record.state === 'ended') this.#report(known);
      else if (!known.dropped) this.#accept(id);
      return;
    }
    const attempt: Attempt = {
      record: {
        attemptId: id,
        runId: assignment.runId,
        command: assignment.command,
        number: assignment.number,
        type: assignment.type,
        state: 'accepted',
      },
      dropped: false,
    };
    this.#attempts.set(id, attempt);
    try {
      await this.#options.journal.save(attempt.record);
      this.#accept(id);
    } catch (error) {
      this.#fail(attempt, error);
      return;
    }
    const earlier = this.#atWork.get(keyOf(attempt.record));
    if (earlier) {
      // Given up when the lease was lost, and still cleaning up: this one begins when that is done.
      this.#track(earlier.then(() => this.#begin(attempt, assignment)));
    } else {
      await this.#begin(attempt, assignment);
    }
  }

  async #begin(attempt: Attempt, assignment: Assignment): Promise<void> {
    if (attempt.dropped) return;
    try {
      await this.#start(attempt, assignment);
    } catch (error) {
      this.#fail(attempt, error);
      return;
    }
    this.#options.onChange();
  }

  /** Where the disk cannot be written, nothing is begun; this report lives in memory alone. */
  #fail(attempt: Attempt, error: unknown): void {
    attempt.record.state = 'ended';
    attempt.record.outcome = { state: 'FAILED', error: OttoError.from(error, 'JOURNAL_FAILED').toJSON() };
    this.#report(attempt);
    this.#options.onChange();
  }

  #track(work: Promise<void>): void {
    this.#following.add(work);
    void work.finally(() => this.#following.delete(work));
  }

  async #start(attempt: Attempt, assignment: Assignment): Promise<void> {
    let execution: ExecutionOptions;
    try {
      if (this.#refusing) throw this.#refusing;
      execution = this.#options.prepare(assignment);
    } catch (error) {
      await this.#settle(attempt, { state: 'FAILED', error: OttoError.from(error).toJSON() });
      return;
    }
    attempt.record.state = 'running';
    await this.#options.journal.save(attempt.record);
    attempt.execution = new Execution(execution);
    if (attempt.endSoon) attempt.execution.end(attempt.endSoon.cause, attempt.endSoon.error);
    const following = this.#follow(attempt, attempt.execution);
    const key = keyOf(attempt.record);
    this.#atWork.set(key, following);
    this.#track(
      following.finally(() => {
        if (this.#atWork.get(key) === following) this.#atWork.delete(key);
      }),
    );
  }

  async #follow(attempt: Attempt, execution: Execution): Promise<void> {
    try {
      const outcome = await execution.ended;
      if (execution.hangs) this.hung.push(`${attempt.record.runId}/${attempt.record.command}`);
      if (attempt.dropped) this.#forget(attempt);
      else await this.#settle(attempt, outcome);
    } catch (error) {
      // The disk failed. The attempt stays in hand as running on disk, and memory says the truth.
      this.#options.logger.error(
        { err: error, attempt: attempt.record.attemptId },
        'an outcome was not saved',
      );
      this.#report(attempt);
    } finally {
      attempt.execution = undefined;
      this.#options.onChange();
    }
  }

  /** Tells the command to end; an attempt that never came is reported as cancelled, so that nobody waits for it. */
  async cancel(id: string, reason: string): Promise<void> {
    if (this.#settled.has(id)) return;
    const error = new OttoError('CANCELLED', reason === '' ? 'cancelled' : reason);
    const known = this.#attempts.get(id);
    if (known) {
      if (known.execution) known.execution.end('cancel', error);
      else if (known.record.state !== 'ended') known.endSoon ??= { cause: 'cancel', error };
      return;
    }
    const record: AttemptRecord = {
      attemptId: id,
      runId: '',
      command: '',
      number: 0,
      type: '',
      state: 'accepted',
    };
    const attempt: Attempt = { record, dropped: false };
    this.#attempts.set(id, attempt);
    await this.#settle(attempt, { state: 'CANCELLED', error: error.toJSON() });
  }

  endAll(cause: Cause, error: OttoError): void {
    for (const attempt of this.#attempts.values()) {
      if (attempt.execution) attempt.execution.end(cause, error);
      else if (attempt.record.state !== 'ended') attempt.endSoon ??= { cause, error };
    }
  }

  /** No longer wanted by the control plane: cancelled, reported never. */
  async drop(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const attempt = this.#attempts.get(id);
      if (!attempt) continue;
      attempt.dropped = true;
      await this.#options.journal.remove(id);
      if (attempt.execution) {
        attempt.execution.end(
          'drop',
          new OttoError('CANCELLED', 'the control plane does not want it any more'),
        );
      } else {
        this.#forget(attempt);
      }
    }
  }

  /** The control plane has stored the report. */
  async stored(id: string): Promise<void> {
    const attempt = this.#attempts.get(id);
    if (attempt?.record.state !== 'ended') return;
    await this.#options.journal.remove(id);
    this.#forget(attempt);
    this.#options.onChange();
  }

  /** Reports what is not yet stored: all of it after a new connection, else what has waited for a while. */
  resend(all: boolean): void {
    const due = this.#options.clock.monotonic() - reportAgainAfterMs;
    for (const attempt of this.#attempts.values()) {
      if (attempt.record.state === 'ended') {
        if (all || (attempt.reportedAt ?? 0) <= due) this.#report(attempt);
      } else if (all && !attempt.dropped) {
        this.#accept(attempt.record.attemptId);
      }
    }
  }

  async #settle(attempt: Attempt, outcome: Outcome): Promise<void> {
    attempt.record.state = 'ended';
    attempt.record.outcome = outcome;
    await this.#options.journal.save(attempt.record);
    // It may have been dropped while it was saved.
    if (attempt.dropped) {
      await this.#options.journal.remove(attempt.record.attemptId);
      this.#forget(attempt);
    } else {
      this.#report(attempt);
    }
  }

  #forget(attempt: Attempt): void {
    const id = attempt.record.attemptId;
    this.#attempts.delete(id);
    this.#settled.add(id);
    if (this.#settled.size > rememberedIds) {
      for (const oldest of this.#settled) {
        this.#settled.delete(oldest);
        break;
      }
    }
  }

  #accept(attemptId: string): void {
    this.#options.send({ case: 'accepted', value: { attemptId, leaseEpoch: this.#options.epoch() } });
  }

  #report(attempt: Attempt): void {
    const { attemptId, outcome } = attempt.record;
    if (outcome === undefined) return;
    attempt.reportedAt = this.#options.clock.monotonic();
    this.#options.send({
      case: 'report',
      value: {
        attemptId,
        leaseEpoch: this.#options.epoch(),
        state: outcome.state,
        outputJson: outcome.output === undefined ? '' : JSON.stringify(outcome.output),
        errorJson: outcome.error === undefined ? '' : JSON.stringify(outcome.error),
      },
    });
  }
}

function keyOf({ runId, command }: AttemptRecord): string {
  return `${runId}/${command}`;
}
