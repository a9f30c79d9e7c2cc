import { type Clock, type ErrorJson, type Logger, OttoError } from '../../base/index.js';
import type { AttemptRow, CommandRow, Database, RunRow, RunState } from '../../store/index.js';
import type { CommandTypes, Place } from '../command-type.js';
import type { Dag, DagCommand } from '../dag.js';
import { evaluateWhen, resolveConfig } from '../expressions.js';
import { afterAttempt, isTerminal, nextMoves, type PreparedDag, prepareDag } from '../plan.js';
import { Board } from './board.js';
import { Deadlines } from './deadlines.js';
import type { AttemptSpec, Dispatcher } from './dispatcher.js';
import { finalise } from './finalise.js';
import { isOutage } from './outage.js';
import { lost, outcomeOf, parseConfig } from './outcome.js';
import { OwnAttempts } from './own-attempts.js';
import { FencedError, noChanges, type RoundChanges, RunRows } from './run-rows.js';
import { Wake } from './wake.js';

/** How long a worker has to report after the limit of an attempt; then the attempt is given up from here. */
const reportGraceMs = 20_000;
/** A command waits this long for a worker that could carry it out. */
const placementLimitMs = 5 * 60_000;
/** Looks at the rows at least this often: a notification is a hint, not the truth. */
const lookIntervalMs = 5_000;

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
  readonly #own: OwnAttempts;
  #run!: RunRow;
  #prepared!: PreparedDag;
  #board!: Board;
  #first = true;
  readonly #deadlines: Deadlines;
  /** Since when a READY command has found no worker, by the monotonic clock. */
  readonly #unplacedSince = new Map<string, number>();
  /** Since when what a lost attempt left could not be cleared away. */
  readonly #unclearedSince = new Map<string, number>();
  #actedOnTimeout = false;
  #cancelsSent = new Set<string>();

  constructor(runId: string, options: DriverOptions) {
    this.#runId = runId;
    this.#options = options;
    this.#rows = new RunRows(options.db, runId);
    this.#deadlines = new Deadlines(options.clock);
    this.#own = new OwnAttempts({
      ...options,
      log: (command, message) => this.#rows.log([{ kind: 'log', command, message }]),
      onEnd: () => this.wake.now(),
    });
  }

  /** Claims the run and takes up what an earlier driver left in hand. */
  async open(): Promise<void> {
    const { run, leftMs } = await this.#rows.claim(this.#options.owner);
    this.#run = run;
    if (run.deadline_at && leftMs !== null) this.#deadlines.set('run', run.deadline_at, leftMs);
    const dag = this.#run.dag as Dag;
    this.#prepared = prepareDag(dag);
    this.#board = new Board(this.#runId, dag, this.#options.clock);
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
      const moves = nextMoves(this.#prepared, this.#board.commands, { cancelRequested, timedOut });
      this.#actedOnTimeout = timedOut;
      const changes = noChanges();
      for (const name of moves.ready) this.#board.move(changes, name, 'READY');
      for (const { name, reason } of moves.skip) this.#board.move(changes, name, 'SKIPPED', { reason });
      for (const name of moves.judge) this.#judge(changes, name);
      for (const name of moves.cancelWaiting)
        this.#board.move(changes, name, 'CANCELLED', { reason: this.#stopReason() });
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
      if (![...changes.commands.values()].some((command) => isTerminal(command.state))) return false;
    }
  }

  /** Stops what is carried out here, when this control plane ends. The rows stay as they are for the next driver. */
  abandon(): void {
    this.#own.abandon();
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
    for (const command of [...this.#board.commands.values()]) {
      if (isTerminal(command.state)) continue;
      if (command.state === 'RUNNING') {
        const id = this.#board.attemptId(command.name, command.attempt);
        changes.endedAttempts.push({ id, state: 'CANCELLED', error });
      }
      this.#board.move(changes, command.name, command.state === 'RUNNING' ? 'FAILED' : 'CANCELLED', {
        error,
      });
    }
    await this.#commit(changes);
    await this.#end('FAILED', error);
  }

  async #load(): Promise<void> {
    this.#board.load(await this.#rows.commands());
    // Begun by an earlier driver, or by a round whose answer was lost: what is in hand here already stays so.
    for (const attempt of await this.#rows.attempts(this.#board.runningIds(), 'open')) {
      if (attempt.worker_id === null)
        this.#carryOut(attempt.id, attempt.command, attempt.number, attempt.input);
    }
  }

  /** Reads what ended since, and what a person asked for. */
  async #settle(): Promise<void> {
    this.#run = await this.#rows.run();
    const changes = noChanges();
    for (const attempt of await this.#rows.attempts(this.#board.runningIds(), 'ended'))
      await this.#settleAttempt(changes, attempt);
    for (const command of this.#board.commands.values()) {
      if (command.state === 'RUNNING') this.#giveUpOverdue(changes, command);
      if (command.state === 'READY' && this.#waitedTooLong(command)) {
        this.#board.move(changes, command.name, 'FAILED', {
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
    const spec = this.#board.spec(attempt.command);
    const command = this.#board.get(attempt.command);
    const type = this.#options.types.get(spec.type);
    const { state, error } = outcomeOf(attempt, type);
    const stopping = !spec.cleanup && (this.#run.cancel_requested_at !== null || this.#isTimedOut());
    if (stopping && state !== 'SUCCEEDED') {
      this.#board.move(changes, spec.name, this.#run.cancel_requested_at ? 'CANCELLED' : 'TIMED_OUT', {
        error,
      });
      return;
    }
    const now = this.#options.clock.now();
    const counted = { attempt: command.attempt - command.attempts_before, losses: command.losses };
    const next = afterAttempt(spec, counted, state, type?.onWorkerLost ?? 'fail', now);
    if (next.state === 'READY') {
      const obstacle = await this.#clearBeforeRetry(attempt, spec);
      if (obstacle === 'later') return;
      if (obstacle) {
        this.#board.move(changes, spec.name, 'FAILED', { error: obstacle.toJSON(), reason: null });
        return;
      }
      this.#board.move(changes, spec.name, 'READY', {
        losses: next.losses,
        not_before: next.retryAtMs === undefined ? null : new Date(next.retryAtMs),
        error,
        reason:
          state === 'LOST'
            ? 'its worker was lost; trying again'
            : `attempt ${attempt.number} failed: ${error?.message ?? state}`,
      });
    } else {
      this.#board.move(changes, spec.name, next.state, {
        output: state === 'SUCCEEDED' ? attempt.output : null,
        error: next.state === 'SUCCEEDED' ? null : (error ?? lost(spec)),
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
    const id = this.#board.attemptId(command.name, command.attempt);
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
    const spec = this.#board.spec(name);
    try {
      if (evaluateWhen(spec.when, this.#board.scope(this.#run))) this.#board.move(changes, name, 'READY');
      else this.#board.move(changes, name, 'SKIPPED', { reason: `its condition is false: ${spec.when}` });
    } catch (error) {
      this.#board.move(changes, name, 'FAILED', { error: OttoError.from(error, 'BAD_CONDITION').toJSON() });
    }
  }

  #cancelRunning(changes: RoundChanges, name: string): void {
    const id = this.#board.attemptId(name, this.#board.get(name).attempt);
    if (this.#cancelsSent.has(id)) return;
    this.#cancelsSent.add(id);
    changes.cancelAttempts.push(id);
    changes.events.push({ kind: 'command', command: name, message: `asked to stop: ${this.#stopReason()}` });
    this.#own.abort(id, new OttoError('CANCELLED', this.#stopReason()));
  }

  /** Starts what is ready and may start. Returns what to begin here once the rows are written. */
  async #startReady(changes: RoundChanges): Promise<(() => void)[]> {
    const starts: (() => void)[] = [];
    for (const command of this.#board.commands.values()) {
      if (command.state !== 'READY' || this.#pauseMs(command) > 0) continue;
      this.#board.pauseOver(command.name);
      const spec = this.#board.spec(command.name);
      try {
        const start = await this.#start(changes, command, spec);
        if (start) starts.push(start);
      } catch (error) {
        if (error instanceof FencedError || isOutage(error)) throw error;
        this.#board.move(changes, command.name, 'FAILED', {
          error: OttoError.from(error, 'CANNOT_START').toJSON(),
        });
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
    const scope = this.#board.scope(this.#run);
    const config = parseConfig(type, spec, resolveConfig(spec.config, scope));
    if (spec.concurrencyKey !== undefined) {
      const key = String(resolveConfig(spec.concurrencyKey, scope));
      const lock = await this.#rows.lock(key, spec.name);
      if (!lock.held) {
        this.#board.waits(changes, command.name, `waits for ${lock.by}, which holds "${key}"`);
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
            statusOf: (name) => this.#board.commands.get(name),
          });
    if ('never' in placement) {
      // Without the worker there is nothing that it could have left behind.
      if (!spec.cleanup) throw new OttoError('NO_WORKER', placement.never);
      this.#board.move(changes, spec.name, 'SKIPPED', { reason: `nothing to clean up: ${placement.never}` });
      return undefined;
    }
    if ('wait' in placement) {
      this.#board.waits(changes, command.name, placement.wait);
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
    const id = this.#board.attemptId(spec.name, number);
    this.#deadlines.set(id, deadline, limitMs);
    this.#board.move(changes, spec.name, 'RUNNING', {
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

  /** Carries out a control-placed attempt here. */
  #carryOut(id: string, name: string, number: number, config: unknown): void {
    const command = this.#board.spec(name);
    const type = this.#options.types.get(command.type);
    if (!type) return;
    const deadline = this.#board.get(name).deadline_at;
    this.#own.begin(
      { id, run: this.#run, command, type, number, config: config as AttemptSpec['config'] },
      deadline ? this.#deadlines.leftMs(id, deadline) : 0,
    );
  }

  async #commit(changes: RoundChanges): Promise<void> {
    const { commands, ...lists } = changes;
    const empty = commands.size === 0 && Object.values(lists).every((list: unknown[]) => list.length === 0);
    if (!empty) await this.#rows.commit(changes);
  }

  async #end(state: RunState, error: ErrorJson | undefined): Promise<void> {
    const notes = await finalise(this.#run, this.#options);
    const level = state === 'SUCCEEDED' ? 'info' : 'error';
    const events = notes.map((note) => ({ kind: 'log' as const, ...note }));
    const message = error ? `${state}: ${error.message}` : state;
    this.#run = await this.#rows.end(state, error ?? null, [
      ...events,
      { kind: 'run', level, message, data: { state } },
    ]);
  }

  async #wait(): Promise<void> {
    let ms = lookIntervalMs;
    for (const command of this.#board.commands.values()) {
      if (command.state === 'READY' && command.not_before) ms = Math.min(ms, this.#pauseMs(command));
    }
    if (this.#run.deadline_at && !this.#actedOnTimeout)
      ms = Math.min(ms, this.#deadlines.leftMs('run', this.#run.deadline_at));
    await this.wake.wait(Math.max(0, ms));
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
}
