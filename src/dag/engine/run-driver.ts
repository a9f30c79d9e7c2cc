import { type Clock, type ErrorJson, type Logger, OttoError, zodIssues } from '../../base/index.js';
import {
  type AttemptRow,
  type CommandRow,
  type CommandState,
  type Database,
  json,
  type RunRow,
  type RunState,
} from '../../store/index.js';
import type { CommandType, CommandTypes, Place } from '../command-type.js';
import type { Dag, DagCommand, JsonValue } from '../dag.js';
import { type CommandOutcome, type ExpressionScope, evaluateWhen, resolveConfig } from '../expressions.js';
import { afterAttempt, nextMoves, type PreparedDag, prepareDag } from '../plan.js';
import { Deadlines } from './deadlines.js';
import type { AttemptSpec, Dispatcher } from './dispatcher.js';
import { isOutage } from './outage.js';
import { FencedError, noChanges, type RoundChanges, RunRows } from './run-rows.js';
import { Wake } from './wake.js';

/** How long a worker has to report after the limit of an attempt; then the attempt is given up from here. */
const reportGraceMs = 20_000;
/** A command waits this long for a worker that could carry it out. */
const placementLimitMs = 5 * 60_000;
/** What a run leaves behind is cleared away within this time, or later by the control plane's chores. */
const finaliseLimitMs = 5 * 60_000;
/** The longest pause between two tries to write the end of an attempt. */
const longestPauseMs = 2_000;
/** Looks at the rows at least this often: a notification is a hint, not the truth. */
const lookIntervalMs = 5_000;
/** Timers beyond 2^31 ms fire at once. */
const maxTimerMs = 2 ** 31 - 1;

export interface DriverOptions {
  db: Database;
  types: CommandTypes;
  dispatcher: Dispatcher;
  owner: string;
  clock: Clock;
  logger: Logger;
}

/** Drives one run, round by round. State that matters is in the rows; what is kept here can be read again from them. */
export class RunDriver {
  readonly wake = new Wake();
  readonly #options: DriverOptions;
  readonly #rows: RunRows;
  readonly #runId: string;
  readonly #carriedOut = new Map<string, AbortController>();
  #run!: RunRow;
  #dag!: Dag;
  #prepared!: PreparedDag;
  #specs!: Map<string, DagCommand>;
  #commands!: Map<string, CommandRow>;
  #outcomes: Record<string, CommandOutcome> | undefined;
  #first = true;
  readonly #deadlines: Deadlines;
  /** Since when a READY command has found no worker, by the monotonic clock. */
  readonly #unplacedSince = new Map<string, number>();
  /** Since when what a lost attempt left could not be cleared away. */
  readonly #unclearedSince = new Map<string, number>();
  readonly #abandoned = new AbortController();
  #actedOnTimeout = false;
  #cancelsSent = new Set<string>();

  constructor(runId: string, options: DriverOptions) {
    this.#runId = runId;
    this.#options = options;
    this.#rows = new RunRows(options.db, runId);
    this.#deadlines = new Deadlines(options.clock);
  }

  /** Claims the run and takes up what an earlier driver left in hand. */
  async open(): Promise<void> {
    const { run, leftMs } = await this.#rows.claim(this.#options.owner);
    this.#run = run;
    if (run.deadline_at && leftMs !== null) this.#deadlines.set('run', run.deadline_at, leftMs);
    this.#dag = this.#run.dag as Dag;
    this.#prepared = prepareDag(this.#dag);
    this.#specs = new Map(this.#dag.commands.map((command) => [command.name, command]));
    await this.#load();
  }

  /** One round: waits for a change, then acts on all that changed. True when the run has ended. */
  async round(): Promise<boolean> {
    if (this.#run.ended_at) return true;
    if (!this.#first) await this.#wait();
    this.#first = false;
    await this.#settle();
    // Its end was written, and the answer lost on the way.
    if (this.#run.ended_at) return true;
    for (;;) {
      const timedOut = this.#isTimedOut();
      const cancelRequested = this.#run.cancel_requested_at !== null;
      const moves = nextMoves(this.#prepared, this.#commands, { cancelRequested, timedOut });
      this.#actedOnTimeout = timedOut;
      const changes = noChanges();
      for (const name of moves.ready) this.#to(changes, name, 'READY');
      for (const { name, reason } of moves.skip) this.#to(changes, name, 'SKIPPED', { reason });
      for (const name of moves.judge) this.#judge(changes, name);
      for (const name of moves.cancelWaiting)
        this.#to(changes, name, 'CANCELLED', { reason: this.#stopReason() });
      for (const name of moves.cancelRunning) this.#cancelRunning(changes, name);
      const moved = changes.commands.size > 0;
      const started = await this.#startReady(changes);
      await this.#commit(changes);
      for (const start of started) start();
      if (moves.done) {
        await this.#end(moves.done.state, moves.done.error);
        return true;
      }
      if (!moved && started.length === 0) return false;
      // A command that failed before it ran (a binding, its config) may release others at once.
      if (![...changes.commands.values()].some((command) => isEnded(command.state))) return false;
    }
  }

  /** Stops what is carried out here, when this control plane ends. The rows stay as they are for the next driver. */
  abandon(): void {
    this.#abandoned.abort();
    for (const controller of this.#carriedOut.values())
      controller.abort(new OttoError('CONTROL_PLANE_STOPS', 'the control plane stops'));
  }

  /** After a failed round: what is in memory may be ahead of the rows. */
  async reload(): Promise<void> {
    this.#cancelsSent.clear();
    this.#first = true;
    await this.#load();
  }

  /** Ends a run that cannot be driven, so that it does not stay RUNNING for ever. */
  async giveUp(error: ErrorJson): Promise<void> {
    const changes = noChanges();
    for (const command of [...this.#commands.values()]) {
      if (isEnded(command.state)) continue;
      if (command.state === 'RUNNING') {
        const id = this.#attemptId(command.name, command.attempt);
        changes.endedAttempts.push({ id, state: 'CANCELLED', error });
      }
      this.#to(changes, command.name, command.state === 'RUNNING' ? 'FAILED' : 'CANCELLED', { error });
    }
    await this.#commit(changes);
    await this.#end('FAILED', error);
  }

  async #load(): Promise<void> {
    this.#commands = new Map((await this.#rows.commands()).map((command) => [command.name, command]));
    this.#outcomes = undefined;
    // Begun by an earlier driver, or by a round whose answer was lost: what is in hand here already stays so.
    for (const attempt of await this.#rows.attempts(this.#runningIds(), 'open')) {
      if (attempt.worker_id === null)
        this.#carryOut(attempt.id, attempt.command, attempt.number, attempt.input);
    }
  }

  /** Reads what ended since, and what a person asked for. */
  async #settle(): Promise<void> {
    this.#run = await this.#rows.run();
    const changes = noChanges();
    for (const attempt of await this.#rows.attempts(this.#runningIds(), 'ended'))
      await this.#settleAttempt(changes, attempt);
    for (const command of this.#commands.values()) {
      if (command.state === 'RUNNING') this.#giveUpOverdue(changes, command);
      if (command.state === 'READY' && this.#waitedTooLong(command)) {
        this.#to(changes, command.name, 'FAILED', {
          error: {
            code: 'NO_WORKER',
            message: command.reason ?? 'no worker could take it',
            hint: 'Start a worker: otto worker --help',
          },
        });
      }
    }
    await this.#commit(changes);
  }

  async #settleAttempt(changes: RoundChanges, attempt: AttemptRow): Promise<void> {
    const spec = this.#specs.get(attempt.command)!;
    const command = this.#commands.get(attempt.command)!;
    const type = this.#options.types.get(spec.type);
    let state = attempt.state as 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'CANCELLED' | 'LOST';
    let error = attempt.error;
    if (state === 'SUCCEEDED' && type) {
      const output = type.output.safeParse(attempt.output);
      if (!output.success) {
        state = 'FAILED';
        error = {
          code: 'BAD_OUTPUT',
          message: `${spec.type} returned an output that is not of its type`,
          issues: zodIssues(output.error),
        };
      }
    }
    const stopping = !spec.cleanup && (this.#run.cancel_requested_at !== null || this.#isTimedOut());
    if (stopping && state !== 'SUCCEEDED') {
      this.#to(changes, spec.name, this.#run.cancel_requested_at ? 'CANCELLED' : 'TIMED_OUT', { error });
      return;
    }
    const now = this.#options.clock.now();
    const counted = { attempt: command.attempt - command.attempts_before, losses: command.losses };
    const next = afterAttempt(spec, counted, state, type?.onWorkerLost ?? 'fail', now);
    if (next.state === 'READY') {
      const obstacle = await this.#clearBeforeRetry(attempt, spec);
      if (obstacle === 'later') return;
      if (obstacle) {
        this.#to(changes, spec.name, 'FAILED', { error: obstacle.toJSON(), reason: null });
        return;
      }
      this.#to(changes, spec.name, 'READY', {
        losses: next.losses,
        not_before: next.retryAtMs === undefined ? null : new Date(next.retryAtMs),
        error,
        reason:
          state === 'LOST'
            ? 'its worker was lost; trying again'
            : `attempt ${attempt.number} failed: ${error?.message ?? state}`,
      });
    } else {
      this.#to(changes, spec.name, next.state, {
        output: state === 'SUCCEEDED' ? attempt.output : null,
        error: next.state === 'SUCCEEDED' ? null : (error ?? lostError(spec)),
        reason: null,
      });
    }
  }

  /** Tried every round until it works, or until a limit: a target may be restarting. */
  async #clearBeforeRetry(attempt: AttemptRow, spec: DagCommand): Promise<OttoError | 'later' | undefined> {
    const { clock, dispatcher } = this.#options;
    try {
      await dispatcher.beforeRetry(this.#run, spec);
      this.#unclearedSince.delete(attempt.id);
      return undefined;
    } catch (error) {
      if (isOutage(error)) throw error;
      const since = this.#unclearedSince.get(attempt.id) ?? clock.monotonic();
      this.#unclearedSince.set(attempt.id, since);
      if (clock.monotonic() - since < placementLimitMs) return 'later';
      return OttoError.from(error, 'NOT_CLEARED');
    }
  }

  #giveUpOverdue(changes: RoundChanges, command: CommandRow): void {
    const id = this.#attemptId(command.name, command.attempt);
    if (!command.deadline_at || this.#deadlines.leftMs(id, command.deadline_at) > -reportGraceMs) return;
    // Its worker learns with its next heartbeat that nobody waits for it any more.
    changes.endedAttempts.push({
      id,
      state: 'TIMED_OUT',
      error: {
        code: 'TIMED_OUT',
        message: `no report ${reportGraceMs / 1000} s after the limit of the attempt`,
      },
    });
    this.wake.now();
  }

  #judge(changes: RoundChanges, name: string): void {
    const spec = this.#specs.get(name)!;
    try {
      if (evaluateWhen(spec.when, this.#scope())) this.#to(changes, name, 'READY');
      else this.#to(changes, name, 'SKIPPED', { reason: `its condition is false: ${spec.when}` });
    } catch (error) {
      this.#to(changes, name, 'FAILED', { error: OttoError.from(error, 'BAD_CONDITION').toJSON() });
    }
  }

  #cancelRunning(changes: RoundChanges, name: string): void {
    const id = this.#attemptId(name, this.#commands.get(name)!.attempt);
    if (this.#cancelsSent.has(id)) return;
    this.#cancelsSent.add(id);
    changes.cancelAttempts.push(id);
    changes.events.push({ kind: 'command', command: name, message: `asked to stop: ${this.#stopReason()}` });
    this.#carriedOut.get(id)?.abort(new OttoError('CANCELLED', this.#stopReason()));
  }

  /** Starts what is ready and may start. Returns what to begin here once the rows are written. */
  async #startReady(changes: RoundChanges): Promise<(() => void)[]> {
    const starts: (() => void)[] = [];
    for (const command of this.#commands.values()) {
      if (command.state !== 'READY' || this.#pauseMs(command) > 0) continue;
      // Over: from here on it waits for a worker or a key, if for anything.
      this.#commands.set(command.name, { ...command, not_before: null });
      const spec = this.#specs.get(command.name)!;
      try {
        const start = await this.#start(changes, command, spec);
        if (start) starts.push(start);
      } catch (error) {
        if (error instanceof FencedError || isOutage(error)) throw error;
        this.#to(changes, command.name, 'FAILED', { error: OttoError.from(error, 'CANNOT_START').toJSON() });
      }
    }
    return starts;
  }

  async #start(
    changes: RoundChanges,
    command: CommandRow,
    spec: DagCommand,
  ): Promise<(() => void) | undefined> {
    const type = this.#options.types.get(spec.type);
    if (!type) throw new OttoError('UNKNOWN_TYPE', `${spec.type} is not known to this control plane`);
    const scope = this.#scope();
    const config = parseConfig(type, spec, resolveConfig(spec.config, scope));
    if (spec.concurrencyKey !== undefined) {
      const key = String(resolveConfig(spec.concurrencyKey, scope));
      const lock = await this.#rows.lock(key, spec.name);
      if (!lock.held) {
        this.#waitBecause(changes, command, `waits for ${lock.by}, which holds "${key}"`);
        return undefined;
      }
    }
    const place: Place = typeof type.place === 'function' ? type.place(config) : type.place;
    const placement =
      place === 'control'
        ? { workerId: null, leaseEpoch: null }
        : await this.#options.dispatcher.place({
            run: this.#run,
            command: spec,
            place,
            statusOf: (name) => this.#commands.get(name),
          });
    if ('never' in placement) {
      // Without the worker there is nothing that it could have left behind.
      if (!spec.cleanup) throw new OttoError('NO_WORKER', placement.never);
      this.#to(changes, spec.name, 'SKIPPED', { reason: `nothing to clean up: ${placement.never}` });
      return undefined;
    }
    if ('wait' in placement) {
      this.#waitBecause(changes, command, placement.wait);
      if (!this.#unplacedSince.has(spec.name))
        this.#unplacedSince.set(spec.name, this.#options.clock.monotonic());
      return undefined;
    }
    this.#unplacedSince.delete(spec.name);
    const number = command.attempt + 1;
    const limitMs =
      spec.timeoutMs ??
      (typeof type.defaultTimeoutMs === 'function' ? type.defaultTimeoutMs(config) : type.defaultTimeoutMs);
    const now = this.#options.clock.now();
    const deadline = new Date(now + limitMs);
    const id = this.#attemptId(spec.name, number);
    this.#deadlines.set(id, deadline, limitMs);
    this.#to(changes, spec.name, 'RUNNING', {
      attempt: number,
      input: config,
      output: null,
      error: null,
      reason: null,
      not_before: null,
      deadline_at: deadline,
      worker_id: placement.workerId,
      started_at: command.started_at ?? new Date(now),
    });
    changes.newAttempts.push({
      id,
      command: spec.name,
      number,
      worker_id: placement.workerId,
      lease_epoch: placement.leaseEpoch,
      input: config,
      created_at: new Date(now),
      deadline_at: deadline,
    });
    return placement.workerId === null ? () => this.#carryOut(id, spec.name, number, config) : () => {};
  }

  /** Carries out a control-placed attempt here; its end is written like a worker's report. */
  #carryOut(id: string, name: string, number: number, config: unknown): void {
    const command = this.#specs.get(name)!;
    const type = this.#options.types.get(command.type);
    if (!type || this.#carriedOut.has(id)) return;
    const abort = new AbortController();
    this.#carriedOut.set(id, abort);
    const spec: AttemptSpec = {
      id,
      run: this.#run,
      command,
      type,
      number,
      config: config as AttemptSpec['config'],
    };
    const deadline = this.#commands.get(name)?.deadline_at;
    const leftMs = deadline ? this.#deadlines.leftMs(id, deadline) : 0;
    const timer = setTimeout(
      () => abort.abort(new OttoError('TIMED_OUT', 'the limit of the attempt has passed')),
      Math.min(maxTimerMs, Math.max(0, leftMs)),
    );
    const log = (message: string) =>
      void this.#rows.log([{ kind: 'log', command: name, message }]).catch(() => {});
    void this.#persistIn(spec, { signal: abort.signal, log })
      .then(
        (output) => ({ state: 'SUCCEEDED' as const, output, error: null }),
        (error: unknown) => ({ ...failure(error, abort.signal), output: null }),
      )
      .then(async (end) => {
        clearTimeout(timer);
        // Left for the next driver: it carries the same attempt out again.
        if (this.#abandoned.signal.aborted) return;
        await this.#writeEnd(id, end);
        this.#carriedOut.delete(id);
        this.wake.now();
      })
      .catch((error: unknown) =>
        this.#options.logger.error({ err: error, attempt: id }, 'the end of an attempt was not written'),
      );
  }

  /** Carried out again where our database was away in between: the same attempt may come twice. */
  async #persistIn(
    spec: AttemptSpec,
    context: { signal: AbortSignal; log: (message: string) => void },
  ): Promise<unknown> {
    const { dispatcher, clock, logger } = this.#options;
    for (let failures = 0; ; failures += 1) {
      try {
        return await dispatcher.carryOut(spec, context);
      } catch (error) {
        if (context.signal.aborted || !isOutage(error)) throw error;
        logger.warn(
          { err: error, attempt: spec.id },
          'the database is away; the attempt goes on when it is back',
        );
        await clock.sleep(Math.min(50 * 2 ** failures, longestPauseMs), context.signal);
      }
    }
  }

  /** The effect has happened: its end is written however long the database is away. */
  async #writeEnd(id: string, end: Parameters<typeof reportAttempt>[2]): Promise<void> {
    const { db, clock, logger } = this.#options;
    const { signal } = this.#abandoned;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await reportAttempt(db, id, end);
        return;
      } catch (error) {
        logger.warn({ err: error, attempt: id }, 'the end of an attempt could not be written; trying again');
        await clock.sleep(Math.min(50 * 2 ** failures, longestPauseMs), signal).catch(() => {});
      }
    }
  }

  #to(changes: RoundChanges, name: string, state: CommandState, patch: Partial<CommandRow> = {}): void {
    const before = this.#commands.get(name)!;
    const now = new Date(this.#options.clock.now());
    const after: CommandRow = { ...before, ...patch, state };
    if (state === 'READY' && before.state === 'PENDING') after.ready_at = now;
    if (isEnded(state)) {
      after.ended_at = now;
      this.#outcomes = undefined;
    }
    this.#commands.set(name, after);
    changes.commands.set(name, after);
    if (isEnded(state) && this.#specs.get(name)!.concurrencyKey !== undefined)
      changes.releaseLocks.push(name);
    changes.events.push(stateEvent(after));
  }

  #waitBecause(changes: RoundChanges, command: CommandRow, reason: string): void {
    if (command.reason === reason) return;
    const after = { ...command, reason };
    this.#commands.set(command.name, after);
    changes.commands.set(command.name, after);
    changes.events.push({
      kind: 'command',
      command: command.name,
      message: reason,
      data: { state: 'READY' },
    });
  }

  async #commit(changes: RoundChanges): Promise<void> {
    const { commands, ...lists } = changes;
    const empty = commands.size === 0 && Object.values(lists).every((list: unknown[]) => list.length === 0);
    if (!empty) await this.#rows.commit(changes);
  }

  async #end(state: RunState, error: ErrorJson | undefined): Promise<void> {
    const notes = await this.#finalise();
    const level = state === 'SUCCEEDED' ? 'info' : 'error';
    const events = notes.map((note) => ({ kind: 'log' as const, ...note }));
    const message = error ? `${state}: ${error.message}` : state;
    this.#run = await this.#rows.end(state, error ?? null, [
      ...events,
      { kind: 'run', level, message, data: { state } },
    ]);
  }

  /** A clean-up that fails or hangs does not keep the run from its end: the control plane's chores go on with it. */
  async #finalise(): Promise<{ level: 'info' | 'warn'; message: string }[]> {
    const { clock, dispatcher, logger } = this.#options;
    const done = new AbortController();
    const limit = clock.sleep(finaliseLimitMs, done.signal).then(() => {
      throw new OttoError('TIMED_OUT', `not done after ${finaliseLimitMs / 1000} s`);
    });
    try {
      return await Promise.race([dispatcher.finalise(this.#run), limit]);
    } catch (error) {
      if (isOutage(error)) throw error;
      logger.warn({ err: error, run: this.#runId }, 'a run was not cleared away in full');
      const message = `what the run left behind is not all cleared away yet: ${OttoError.from(error).message}`;
      return [{ level: 'warn', message }];
    } finally {
      limit.catch(() => {});
      done.abort();
    }
  }

  async #wait(): Promise<void> {
    let ms = lookIntervalMs;
    for (const command of this.#commands.values()) {
      if (command.state === 'READY' && command.not_before) ms = Math.min(ms, this.#pauseMs(command));
    }
    if (this.#run.deadline_at && !this.#actedOnTimeout)
      ms = Math.min(ms, this.#deadlines.leftMs('run', this.#run.deadline_at));
    await this.wake.wait(Math.max(0, ms));
  }

  /** Rebuilt only where something moved: a DAG of a thousand commands starts each of them once. */
  #scope(): ExpressionScope {
    this.#outcomes ??= Object.fromEntries(
      [...this.#commands.values()].map((command) => [
        command.name,
        { state: command.state, output: command.output as JsonValue, error: command.error },
      ]),
    );
    const commands = this.#outcomes;
    const parameters = this.#run.parameters as Record<string, JsonValue>;
    return { parameters, commands, run: { id: this.#run.id, name: this.#run.name } };
  }

  #isTimedOut(): boolean {
    const { deadline_at: deadline } = this.#run;
    return deadline !== null && this.#deadlines.leftMs('run', deadline) <= 0;
  }

  /** How long a command that is tried again still waits. */
  #pauseMs(command: CommandRow): number {
    const { name, not_before: notBefore } = command;
    return notBefore ? this.#deadlines.leftMs(`pause of ${name}`, notBefore) : 0;
  }

  #waitedTooLong(command: CommandRow): boolean {
    const since = this.#unplacedSince.get(command.name);
    return since !== undefined && this.#options.clock.monotonic() - since > placementLimitMs;
  }

  #stopReason(): string {
    return this.#run.cancel_requested_at
      ? `the run was cancelled by ${this.#run.cancel_requested_by}`
      : 'the limit of the run has passed';
  }

  #runningIds(): string[] {
    const running = [...this.#commands.values()].filter((command) => command.state === 'RUNNING');
    return running.map((command) => this.#attemptId(command.name, command.attempt));
  }

  #attemptId(command: string, number: number): string {
    return `${this.#runId}/${command}/${number}`;
  }
}

/** Writes the end of an attempt once; a second report of the same attempt changes nothing. Returns whether it was the first. */
export async function reportAttempt(
  db: Database,
  id: string,
  end: { state: AttemptRow['state']; output: unknown; error: ErrorJson | null },
): Promise<boolean> {
  const row = await db
    .updateTable('attempts')
    .set({
      state: end.state,
      output: end.output === null ? null : json(end.output),
      error: end.error === null ? null : json(end.error),
      ended_at: new Date(),
    })
    .where('id', '=', id)
    .where('state', 'in', ['ASSIGNED', 'RUNNING'])
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

function parseConfig(type: CommandType, spec: DagCommand, value: unknown): unknown {
  const parsed = type.config.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = zodIssues(parsed.error, 'config');
  throw new OttoError(
    'BAD_CONFIG',
    `${spec.name}: ${issues.map((issue) => `${issue.path}: ${issue.message}`).join('; ')}`,
    { issues },
  );
}

function failure(
  error: unknown,
  signal: AbortSignal,
): { state: 'FAILED' | 'TIMED_OUT' | 'CANCELLED'; error: ErrorJson } {
  const known = OttoError.from(error);
  const reason = signal.aborted ? (signal.reason as OttoError).code : undefined;
  if (reason === 'TIMED_OUT') return { state: 'TIMED_OUT', error: (signal.reason as OttoError).toJSON() };
  if (reason === 'CANCELLED') return { state: 'CANCELLED', error: known.toJSON() };
  return { state: 'FAILED', error: known.toJSON() };
}

function lostError(spec: DagCommand): ErrorJson {
  return { code: 'WORKER_LOST', message: `the worker was lost while it carried out ${spec.name}` };
}

function stateEvent(command: CommandRow): RoundChanges['events'][number] {
  const words = command.reason ?? command.error?.message;
  const attempt = command.attempt > 1 && command.state === 'RUNNING' ? ` (attempt ${command.attempt})` : '';
  return {
    kind: 'command',
    command: command.name,
    level: command.state === 'FAILED' || command.state === 'TIMED_OUT' ? 'error' : 'info',
    message: `${command.state}${attempt}${words ? `: ${words}` : ''}`,
    data: { state: command.state, attempt: command.attempt },
  };
}

function isEnded(state: CommandState): boolean {
  return state !== 'PENDING' && state !== 'READY' && state !== 'RUNNING';
}
