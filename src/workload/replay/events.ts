import { rm } from 'node:fs/promises';
import { type DuckDb, withDuckDb } from '../../duckdb/index.js';

/** An event as the replay reads it. */
export interface ReplayEvent {
  session: string;
  /** Number of the transaction within the session, and its first and last event. */
  transaction: number;
  first: boolean;
  last: boolean;
  /** Scheduled time, µs since the first statement of the capture; never before that of its predecessor. */
  dueUs: number;
  durationUs: number | null;
  kind: string;
  protocol: 'simple' | 'extended';
  statementName: string | null;
  fingerprint: string;
  template: string;
  sql: string;
  parameters: (string | null)[] | null;
  preparedSql: string | null;
  outcome: 'ok' | 'error';
  sqlstate: string | null;
}

/** A session of the capture: its span in µs since the first statement. */
export interface CapturedSession {
  session: string;
  user: string;
  database: string;
  firstUs: number;
  lastUs: number;
  events: number;
}

const sessionsSql = `
  with events as (
    select session, user_name, database, epoch_us(started_at) as us, coalesce(duration_us, 0) as duration
      from read_parquet($1)
  )
  select session, first(user_name) as user, first(database) as database, count(*) as events,
         min(us) - (select min(us) from events) as "firstUs",
         max(us + duration) - (select min(us) from events) as "lastUs"
    from events
   group by session
   order by "firstUs", session`;

// The start of a statement is known to the ms only: within a session the line decides.
const eventsSql = `
  select session, transaction,
         row_number() over one = 1 as first, count(*) over (partition by session, transaction) = row_number() over one
           as last,
         max(epoch_us(started_at)) over (partition by session order by line)
           - (select min(epoch_us(started_at)) from read_parquet($1)) as "dueUs",
         duration_us as "durationUs", kind, protocol, statement_name as "statementName", fingerprint, template, sql,
         parameters, prepared_sql as "preparedSql", outcome, sqlstate
    from read_parquet($1)
  window one as (partition by session, transaction order by line)
   order by "dueUs", session, line`;

/** Reads a capture for its replay. */
export class CaptureReader {
  readonly #file: string;
  readonly #db: DuckDb;

  private constructor(file: string, db: DuckDb) {
    this.#file = file;
    this.#db = db;
  }

  /** Opens it for `work`. Sorting a large capture spills beside the file. */
  static async use<T>(file: string, work: (reader: CaptureReader) => Promise<T>): Promise<T> {
    const spillDirectory = `${file}.spill`;
    try {
      return await withDuckDb({ spillDirectory }, (db) => work(new CaptureReader(file, db)));
    } finally {
      await rm(spillDirectory, { recursive: true, force: true });
    }
  }

  sessions(signal?: AbortSignal): Promise<CapturedSession[]> {
    return this.#db.query<CapturedSession & Record<string, string | number>>(sessionsSql, [this.#file], {
      signal,
    });
  }

  /** Every event in the order of its time, and of its session. */
  events(signal?: AbortSignal): AsyncGenerator<ReplayEvent[]> {
    return this.#db.stream(eventsSql, [this.#file], { signal }) as unknown as AsyncGenerator<ReplayEvent[]>;
  }
}
