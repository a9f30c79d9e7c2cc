import type pg from 'pg';
import type { Clock } from '../../base/index.js';
import type { CapturedSession, ReplayEvent } from './events.js';
import type { SessionQueue } from './session-queue.js';
import { whySkipped } from './skip.js';
import { type StatementOutcome, StatementQuery, type StatementRequest } from './statement-query.js';
import type { Tally } from './tally.js';

export interface SessionContext {
  tally: Tally;
  clock: Clock;
  signal: AbortSignal;
  /** When a statement that is due at `dueUs` of the capture should start, ms of the monotonic clock. */
  dueMs(dueUs: number): number;
  /** True where sessions run their statements back to back. */
  unpaced: boolean;
  statementLimitMs: number;
  connect(session: CapturedSession): Promise<pg.Client>;
  /** Cancels what the server process runs now. */
  cancel(processId: number): Promise<void>;
  onDone(): void;
}

export interface SessionEnd {
  openAtStart: boolean;
  openAtEnd: boolean;
  cancelledAtLimit: number;
}

/** How long before its first statement a session connects. */
const connectAheadMs = 1_000;
const controlKinds = new Set([
  'begin',
  'commit',
  'rollback',
  'savepoint',
  'release',
  'rollback to',
  'prepare transaction',
]);

/** Plays one captured session on a connection of its own. */
export class SessionPlayer {
  readonly #session: CapturedSession;
  readonly #queue: SessionQueue;
  readonly #context: SessionContext;
  readonly #prepared = new Map<string, string>();
  readonly #sqlPrepared = new Set<string>();
  #client: pg.Client | undefined;
  #left: number;
  #lost = false;
  /** The pipeline that was given a BEGIN. */
  #implicit: number | undefined;
  readonly #end: SessionEnd = { openAtStart: false, openAtEnd: false, cancelledAtLimit: 0 };

  constructor(session: CapturedSession, queue: SessionQueue, context: SessionContext) {
    this.#session = session;
    this.#queue = queue;
    this.#context = context;
    this.#left = session.events;
  }

  /** Runs every statement of the session; rejects only when the replay is aborted or it cannot connect. */
  async play(): Promise<SessionEnd> {
    const { signal } = this.#context;
    try {
      let event = await this.#queue.next(signal);
      await this.#sleepUntil(this.#context.dueMs(event.dueUs) - connectAheadMs);
      this.#client = await this.#context.connect(this.#session);
      this.#client.on('end', () => {
        this.#lost = true;
      });
      for (;;) {
        await this.#playEvent(event);
        this.#context.onDone();
        if (--this.#left === 0) break;
        event = await this.#queue.next(signal);
      }
      if (this.#inTransaction()) {
        this.#end.openAtEnd = true;
        await this.#control('rollback');
      }
      return this.#end;
    } finally {
      await this.#close();
    }
  }

  async #playEvent(event: ReplayEvent): Promise<void> {
    const { clock, tally } = this.#context;
    if (event.first) tally.transactions++;
    const due = this.#context.dueMs(event.dueUs);
    const idle = clock.monotonic() <= due;
    await this.#sleepUntil(due);
    const why = this.#lost ? 'statements of sessions that lost their connection' : whySkipped(event);
    if (why) {
      tally.skip(why);
      return;
    }
    await this.#openBlock(event);
    const { parameters } = event;
    const parse = event.statementName === null || this.#prepared.get(event.statementName) !== event.sql;
    await this.#prepareSql(event);
    const started = clock.monotonic();
    this.#recordLateness(due, started, idle);
    const outcome = await this.#send(
      {
        protocol: event.protocol,
        sql: event.sql,
        parameters: parameters ?? [],
        name: event.statementName,
        parse,
      },
      this.#limitMs(event),
      () => {
        if (event.sqlstate !== '57014') this.#end.cancelledAtLimit++;
      },
    );
    tally.add(event, outcome, (clock.monotonic() - started) * 1000);
    if (event.statementName !== null && outcome.parsed) this.#prepared.set(event.statementName, event.sql);
    if (outcome.ok && (event.kind === 'deallocate' || event.kind === 'discard')) {
      this.#prepared.clear();
      this.#sqlPrepared.clear();
    }
    if (outcome.ok && event.kind === 'prepare') this.#sqlPrepared.add(event.sql);
    await this.#closeBlock(event);
  }

  #recordLateness(dueMs: number, startedMs: number, idle: boolean): void {
    if (this.#context.unpaced) return;
    const { tally } = this.#context;
    const us = Math.max(0, Math.round((startedMs - dueMs) * 1000));
    tally.lateness.recordValue(us);
    if (idle) tally.playerLateness.recordValue(us);
  }

  /**
   * A transaction whose BEGIN was not captured gets one, and so does a pipeline: several statements of the extended
   * protocol that were one transaction without a BEGIN.
   */
  async #openBlock(event: ReplayEvent): Promise<void> {
    if (!event.first || this.#inTransaction()) return;
    if (event.transaction === 0) {
      this.#end.openAtStart = true;
      await this.#control('begin');
    } else if (
      !event.last &&
      event.protocol === 'extended' &&
      !controlKinds.has(event.kind) &&
      event.kind !== 'multi'
    ) {
      await this.#control('begin');
      this.#implicit = event.transaction;
    }
  }

  async #closeBlock(event: ReplayEvent): Promise<void> {
    if (!event.last || this.#implicit !== event.transaction) return;
    this.#implicit = undefined;
    if (this.#inTransaction()) await this.#control('commit');
  }

  /** An EXECUTE whose PREPARE came before the capture: the log names its text. */
  async #prepareSql(event: ReplayEvent): Promise<void> {
    if (event.preparedSql === null || this.#sqlPrepared.has(event.preparedSql)) return;
    this.#sqlPrepared.add(event.preparedSql);
    await this.#control(event.preparedSql);
  }

  /** A statement of the player's own: not counted, and its failure shows in the statements that follow. */
  async #control(sql: string): Promise<void> {
    await this.#send(
      { protocol: 'simple', sql, parameters: [], name: null, parse: true },
      this.#context.statementLimitMs,
    );
  }

  /** A captured cancel is repeated some time after its moment; the session's own statement_timeout comes first. */
  #limitMs(event: ReplayEvent): number {
    const { statementLimitMs } = this.#context;
    if (event.durationUs === null) return statementLimitMs;
    const capturedMs = event.durationUs / 1000;
    if (event.sqlstate === '57014') return capturedMs * 1.5 + 200;
    return Math.max(statementLimitMs, capturedMs * 10);
  }

  async #send(request: StatementRequest, limitMs: number, onLimit = () => {}): Promise<StatementOutcome> {
    const client = this.#client!;
    const query = new StatementQuery(request);
    let cancelling: Promise<void> | undefined;
    const timer = setTimeout(() => {
      onLimit();
      cancelling = this.#context.cancel((client as pg.Client & { processID: number }).processID);
    }, limitMs);
    try {
      client.query(query);
      const outcome = await query.outcome;
      this.#context.signal.throwIfAborted();
      return outcome;
    } finally {
      clearTimeout(timer);
      // A cancel that is under way must not hit the next statement.
      await cancelling;
    }
  }

  #inTransaction(): boolean {
    const status = this.#client?.getTransactionStatus();
    return !this.#lost && (status === 'T' || status === 'E');
  }

  async #sleepUntil(dueMs: number): Promise<void> {
    const { clock, signal, unpaced } = this.#context;
    signal.throwIfAborted();
    if (unpaced) return;
    const leftMs = dueMs - clock.monotonic();
    if (leftMs > 0) await clock.sleep(leftMs, signal);
  }

  async #close(): Promise<void> {
    const client = this.#client;
    if (!client) return;
    if (this.#context.signal.aborted) {
      // What it runs has been cancelled; whatever does not listen is cut off.
      (client as pg.Client & { connection: pg.Connection }).connection.stream.destroy();
    }
    await client.end().catch(() => {});
  }
}
