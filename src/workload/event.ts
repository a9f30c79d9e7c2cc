import type { ColumnType } from '../duckdb/index.js';

export type Protocol = 'simple' | 'extended';
export type Outcome = 'ok' | 'error';

/** One statement that a client ran. The same schema whatever the capture method. */
export interface WorkloadEvent {
  /** The server's session id: start time and process id, in hex. */
  session: string;
  /** Order within the session. */
  line: number;
  /** Number of the transaction within the session; 0 = it was open when the capture began. */
  transaction: number;
  /** µs since the epoch. Ends are known to the ms, so starts of one session may overlap by less than that. */
  startedUs: number;
  /** Parse, bind and execute together; null for a failed simple query, whose duration is not logged. */
  durationUs: number | null;
  /** `select`, `insert`, `begin`, `copy from`, `multi` (several statements in one string), … */
  kind: string;
  protocol: Protocol;
  /** Name of the prepared statement of the extended protocol; null when unnamed. */
  statementName: string | null;
  fingerprint: string;
  /** The normalised text of the first statement seen with this fingerprint. */
  template: string;
  sql: string;
  /** Parameters as text, in order; null when the log does not hold them all. Empty for the simple protocol. */
  parameters: (string | null)[] | null;
  /** Text of the PREPARE that an SQL-level EXECUTE refers to. */
  preparedSql: string | null;
  rows: number | null;
  outcome: Outcome;
  sqlstate: string | null;
  message: string | null;
  user: string;
  database: string;
  application: string;
  pid: number;
  /** Virtual and permanent transaction id at the statement's end, as logged. */
  vxid: string | null;
  txid: number | null;
}

/** Columns of the archive, in the order of `eventCells`. */
export const eventColumns = {
  session: 'text',
  line: 'bigint',
  transaction: 'bigint',
  started_at: 'timestamp',
  duration_us: 'bigint',
  kind: 'text',
  protocol: 'text',
  statement_name: 'text',
  fingerprint: 'text',
  template: 'text',
  sql: 'text',
  parameters: 'text list',
  prepared_sql: 'text',
  rows: 'bigint',
  outcome: 'text',
  sqlstate: 'text',
  message: 'text',
  user_name: 'text',
  database: 'text',
  application: 'text',
  pid: 'integer',
  vxid: 'text',
  txid: 'bigint',
} as const satisfies Record<string, ColumnType>;

export function eventCells(event: WorkloadEvent) {
  return [
    event.session,
    event.line,
    event.transaction,
    event.startedUs,
    event.durationUs,
    event.kind,
    event.protocol,
    event.statementName,
    event.fingerprint,
    event.template,
    event.sql,
    event.parameters,
    event.preparedSql,
    event.rows,
    event.outcome,
    event.sqlstate,
    event.message,
    event.user,
    event.database,
    event.application,
    event.pid,
    event.vxid,
    event.txid,
  ];
}

/** Kinds that only begin, end or divide a transaction. */
export const transactionKinds: readonly string[] = [
  'begin',
  'commit',
  'rollback',
  'savepoint',
  'release',
  'rollback to',
  'prepare transaction',
  'commit prepared',
  'rollback prepared',
];
