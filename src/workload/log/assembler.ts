import type { WorkloadEvent } from '../event.js';
import type { Templates } from '../sql/templates.js';
import { eventOf } from './event-of.js';
import { readStatementMessage, type StatementMessage, splitTarget } from './messages.js';
import { type Parameters, parametersOfContext, parametersOfDetail } from './parameters.js';
import type { LogRecord } from './record.js';
import { type Bound, isTransaction, Session } from './session.js';
import { TransactionNumbers } from './transactions.js';
import type { LogZone } from './zone.js';

export interface AssemblerOptions {
  zone: LogZone;
  templates: Templates;
  /** Sessions (by id) that were inside a transaction block when the log was begun. */
  inTransaction?: ReadonlySet<string>;
  /** Sessions for which this holds are left out; what they say goes to `onOwn`. */
  isOwn(record: LogRecord): boolean;
  onOwn?(record: LogRecord): void;
  emit(event: WorkloadEvent): void;
}

/** What the log itself shows to be missing or of no use. */
export interface AssemblerCounts {
  records: number;
  /** Messages that are missing by the line numbers of their session. */
  missingRecords: number;
  unknownTimes: number;
  /** Errors of clients that name no statement. */
  errorsWithoutStatement: number;
  fastpathCalls: number;
  parametersUnknown: number;
  sessions: number;
  /** Of these, sessions whose connection was made before the capture began. */
  sessionsOpenAtStart: number;
}

const unnamed = '<unnamed>';
const placeholder = /\$[0-9]/;
/** Parse and bind of one round trip are at most this far apart. */
const roundTripUs = 5_000;

/** Turns log records, in the order in which they were written, into events. */
export class Assembler {
  readonly counts: AssemblerCounts = {
    records: 0,
    missingRecords: 0,
    unknownTimes: 0,
    errorsWithoutStatement: 0,
    fastpathCalls: 0,
    parametersUnknown: 0,
    sessions: 0,
    sessionsOpenAtStart: 0,
  };
  /** Transactions of the events so far, and how many of them had begun before. */
  readonly numbers = new TransactionNumbers();
  readonly #options: AssemblerOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #own = new Set<string>();
  readonly #isSql: (sql: string) => boolean;
  #recording = false;

  constructor(options: AssemblerOptions) {
    this.#options = options;
    this.#isSql = (sql) => sql.trim() === '' || options.templates.of(sql).parsed;
  }

  /** From here on events are emitted. What came before only tells the state of the sessions. */
  begin(): void {
    this.#recording = true;
    for (const session of this.#sessions.values()) {
      session.held.clear();
      session.openAtStart = true;
      this.numbers.begin(session);
    }
    this.numbers.transactions = 0;
  }

  /** Emits what was held back. Returns what is still open at the end. */
  end(): { sessionsOpen: number; transactionsOpen: number } {
    let transactionsOpen = 0;
    for (const session of this.#sessions.values()) {
      this.#release(session);
      if (session.hasEvents && session.block !== undefined) transactionsOpen++;
    }
    this.#recording = false;
    return { sessionsOpen: this.#sessions.size, transactionsOpen };
  }

  /** The server is gone and every session with it. Returns how many had not said so. */
  serverEnded(): number {
    const cutOff = this.#sessions.size;
    for (const session of this.#sessions.values()) this.#release(session);
    this.#sessions.clear();
    return cutOff;
  }

  push(record: LogRecord): void {
    this.counts.records++;
    if (this.#isOwn(record)) return;
    // Only clients run statements; before version 13 the log tells them by their user.
    if (
      record.backendType !== '' &&
      record.backendType !== 'client backend' &&
      record.backendType !== 'not initialized'
    ) {
      return;
    }
    const session = this.#sessionOf(record);
    this.#checkLine(session, record);
    this.#releaseOlder(session, record.vxid);
    if (record.severity === 'LOG') this.#onLog(session, record);
    else if (record.severity === 'ERROR' || record.severity === 'FATAL' || record.severity === 'PANIC') {
      this.#onError(session, record);
    }
  }

  #isOwn(record: LogRecord): boolean {
    if (!this.#own.has(record.session)) {
      if (!this.#options.isOwn(record)) return false;
      this.#own.add(record.session);
      // Its first messages came before it had a name.
      this.#sessions.delete(record.session);
    }
    this.#options.onOwn?.(record);
    return true;
  }

  #sessionOf(record: LogRecord): Session {
    const known = this.#sessions.get(record.session);
    if (known) return known;
    const session = new Session(record.session);
    if (this.#options.inTransaction?.has(record.session)) session.block = 0;
    this.#sessions.set(record.session, session);
    return session;
  }

  #checkLine(session: Session, record: LogRecord): void {
    if (session.nextLine !== undefined && record.line > session.nextLine) {
      this.counts.missingRecords += record.line - session.nextLine;
    }
    session.nextLine = record.line + 1;
  }

  #onLog(session: Session, record: LogRecord): void {
    const { message } = record;
    if (message.startsWith('connection ')) {
      session.openAtStart = false;
      return;
    }
    if (message.startsWith('disconnection: ')) {
      this.#close(session);
      return;
    }
    const statement = readStatementMessage(message);
    if (!statement) return;
    const endedUs = this.#options.zone.toUs(record.time);
    if (endedUs === undefined) {
      this.counts.unknownTimes++;
      return;
    }
    this.#onStatement(session, record, statement, endedUs);
  }

  #onStatement(session: Session, record: LogRecord, statement: StatementMessage, endedUs: number): void {
    if (statement.step === 'fastpath') {
      if (this.#recording && statement.durationUs !== undefined) this.counts.fastpathCalls++;
      return;
    }
    if (statement.step === 'duration') {
      const announced = session.announced;
      session.announced = undefined;
      if (!announced) return;
      const again: StatementMessage =
        announced.step === 'statement'
          ? { step: 'statement', durationUs: statement.durationUs, sql: announced.text }
          : { step: announced.step, durationUs: statement.durationUs, rest: announced.text };
      this.#onStatement(session, { ...record, detail: announced.detail }, again, endedUs);
      return;
    }
    const { durationUs } = statement;
    if (durationUs === undefined) {
      // log_statement announces what it is about to run.
      const { step } = statement;
      if (step === 'parse' || step === 'bind') return;
      const text = statement.step === 'statement' ? statement.sql : statement.rest;
      session.announced = { step, text, detail: record.detail };
      return;
    }
    session.announced = undefined;
    const startedUs = endedUs - durationUs;
    if (statement.step === 'statement') {
      const event = this.#event(session, record, statement.sql, startedUs, durationUs, 'simple', []);
      const prepare = /^prepare: /.exec(record.detail);
      if (prepare) event.preparedSql = record.detail.slice('prepare: '.length);
      this.#emit(session, event);
      return;
    }
    const split = splitTarget(statement.rest, this.#isSql);
    if (!split) return;
    const { target, sql } = split;
    const step = { sql, startedUs, endedUs, durationUs, vxid: record.vxid };
    if (statement.step === 'parse') session.addParsed(target, step);
    else if (statement.step === 'bind')
      this.#onBind(session, target, { ...step, ...this.#bindOf(session, target, record) });
    else if (statement.step === 'execute') this.#onExecute(session, record, target, step);
    else this.#onFetch(session, record, target, step);
  }

  #bindOf(session: Session, target: string, record: LogRecord): Pick<Bound, 'parameters' | 'statementName'> {
    const name = session.statementOf(target);
    return {
      parameters: parametersOfDetail(record.detail) ?? [],
      statementName: name === unnamed ? null : name,
    };
  }

  #onBind(session: Session, target: string, bound: Bound): void {
    const name = bound.statementName ?? unnamed;
    const parsed = session.parsed.get(name);
    session.parsed.delete(name);
    this.#releasePortal(session, target);
    if (parsed && parsed.sql === bound.sql) {
      bound.durationUs += parsed.durationUs;
      if (bound.startedUs - parsed.endedUs < roundTripUs) {
        bound.startedUs = Math.min(bound.startedUs, parsed.startedUs);
      }
    }
    session.addBound(target, bound);
  }

  #onExecute(
    session: Session,
    record: LogRecord,
    target: string,
    step: { sql: string; startedUs: number; durationUs: number },
  ): void {
    const bound = session.bound.get(target);
    session.bound.delete(target);
    const known = bound?.sql === step.sql ? bound : undefined;
    const parameters: Parameters | null =
      parametersOfDetail(record.detail) ?? known?.parameters ?? (placeholder.test(step.sql) ? null : []);
    const event = this.#event(
      session,
      record,
      step.sql,
      known ? Math.min(known.startedUs, step.startedUs) : step.startedUs,
      step.durationUs + (known?.durationUs ?? 0),
      'extended',
      parameters,
    );
    const name = session.statementOf(target);
    event.statementName = name === unnamed ? null : name;
    this.#releasePortal(session, target);
    session.held.set(target, { event, vxid: record.vxid });
  }

  #onFetch(
    session: Session,
    record: LogRecord,
    target: string,
    step: { sql: string; startedUs: number; durationUs: number },
  ): void {
    const held = session.held.get(target);
    // Its first part was before the capture, or is lost: then this is all that is known of the statement.
    if (!held) this.#onExecute(session, record, target, step);
    else held.event.durationUs = (held.event.durationUs ?? 0) + step.durationUs;
  }

  #onError(session: Session, record: LogRecord): void {
    session.announced = undefined;
    const endedUs = this.#options.zone.toUs(record.time);
    const fatal = record.severity !== 'ERROR';
    if (endedUs === undefined) {
      this.counts.unknownTimes++;
    } else if (record.statement === undefined) {
      const held = [...session.held.values()].at(-1);
      // At the end of a pipeline the statement is no longer known: a deferred constraint, a serialization failure.
      if (held) this.#fail(held.event, record);
      else if (!fatal && this.#recording) this.counts.errorsWithoutStatement++;
    } else {
      this.#onFailedStatement(session, record, record.statement, endedUs);
    }
    if (fatal) session.block = undefined;
  }

  #onFailedStatement(session: Session, record: LogRecord, sql: string, endedUs: number): void {
    const boundAs = [...session.bound].findLast(([, bound]) => bound.sql === sql);
    if (!boundAs) {
      const heldAs = [...session.held.values()].findLast(({ event }) => event.sql === sql);
      if (heldAs && record.tag !== 'PARSE' && record.tag !== 'BIND') {
        this.#fail(heldAs.event, record);
        return;
      }
    }
    const parsedAs = [...session.parsed].findLast(([, parsed]) => parsed.sql === sql);
    const extended = boundAs || parsedAs || record.tag === 'PARSE' || record.tag === 'BIND';
    if (boundAs) session.bound.delete(boundAs[0]);
    else if (parsedAs) session.parsed.delete(parsedAs[0]);
    const first = boundAs?.[1] ?? parsedAs?.[1];
    const parameters = extended ? this.#parametersOfFailed(record, sql, boundAs?.[1]) : [];
    const startedUs = first?.startedUs ?? endedUs;
    const durationUs = first ? endedUs - startedUs : null;
    const event = this.#event(
      session,
      record,
      sql,
      startedUs,
      durationUs,
      extended ? 'extended' : 'simple',
      parameters,
    );
    const name = boundAs ? boundAs[1].statementName : parsedAs?.[0];
    event.statementName = name === undefined || name === unnamed ? null : name;
    this.#fail(event, record);
    this.#emit(session, event);
  }

  #parametersOfFailed(record: LogRecord, sql: string, bound: Bound | undefined): Parameters | null {
    if (bound) return bound.parameters;
    // A statement that cannot be parsed never gets as far as its parameters.
    if (record.tag === 'PARSE' || !placeholder.test(sql)) return [];
    return parametersOfContext(record.context, sql) ?? null;
  }

  #fail(event: WorkloadEvent, record: LogRecord): void {
    event.outcome = 'error';
    event.sqlstate = record.sqlstate === '' ? null : record.sqlstate;
    event.message = record.message;
  }

  #event(
    session: Session,
    record: LogRecord,
    sql: string,
    startedUs: number,
    durationUs: number | null,
    protocol: WorkloadEvent['protocol'],
    parameters: Parameters | null,
  ): WorkloadEvent {
    const template = this.#options.templates.of(sql);
    const transaction = this.numbers.next(session, {
      template,
      vxid: record.vxid,
      extended: protocol === 'extended',
      failed: record.severity !== 'LOG',
    });
    return eventOf(record, { template, transaction, sql, startedUs, durationUs, protocol, parameters });
  }

  /** A portal that belongs to an earlier transaction is closed. */
  #releaseOlder(session: Session, vxid: string): void {
    for (const [target, held] of session.held) {
      if (isTransaction(vxid) && held.vxid !== vxid) this.#releasePortal(session, target);
    }
  }

  #releasePortal(session: Session, target: string): void {
    const held = session.held.get(target);
    if (!held) return;
    session.held.delete(target);
    this.#emit(session, held.event);
  }

  #release(session: Session): void {
    for (const target of [...session.held.keys()]) this.#releasePortal(session, target);
  }

  #close(session: Session): void {
    this.#release(session);
    this.#sessions.delete(session.id);
  }

  #emit(session: Session, event: WorkloadEvent): void {
    if (!this.#recording) return;
    if (!session.hasEvents) {
      session.hasEvents = true;
      this.counts.sessions++;
      if (session.openAtStart) this.counts.sessionsOpenAtStart++;
    }
    if (event.parameters === null) this.counts.parametersUnknown++;
    this.#options.emit(event);
  }
}
