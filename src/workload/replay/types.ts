import type { Clock, Logger, ProgressSink } from '../../base/index.js';

export interface ReplayOptions {
  /** A capture's Parquet file. */
  file: string;
  /** Connection string of a clone. Never a production server. */
  url: string;
  /** True where the server is marked production: the replay is then refused. */
  production?: boolean;
  /** 1 = the captured timing, 2 = twice as fast, `max` = each session runs its statements back to back. */
  speed: number | 'max';
  /** Connections open at once. Default 100. Sessions that did not overlap share a place. */
  maxConnections?: number;
  /** Limit of the whole replay. Default three times the scaled length of the capture and 60 s. */
  timeLimitMs?: number;
  /** Limit of one statement. Default 60 s, or ten times its captured duration where that is longer. */
  statementLimitMs?: number;
  signal?: AbortSignal;
  progress?: ProgressSink;
  logger?: Logger;
  clock?: Clock;
}

export interface Percentiles {
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

export type DivergenceClass = 'error_instead_of_ok' | 'ok_instead_of_error' | 'other_error' | 'rows';

export interface Divergence {
  class: DivergenceClass;
  count: number;
  /** The first one found. */
  sample: { sql: string; captured: string; replayed: string; session: string };
}

export interface ReplayTemplate {
  fingerprint: string;
  sql: string;
  calls: number;
  errors: number;
  capturedP50Ms: number | null;
  capturedP95Ms: number | null;
  replayedP50Ms: number | null;
  replayedP95Ms: number | null;
}

export interface ReplayReport {
  schemaVersion: 1;
  seconds: number;
  speed: number | 'max';
  sessions: number;
  /** Most connections open at once. */
  connections: number;
  transactions: number;
  /** Statements that were sent. */
  statements: number;
  /** Of these, failed (as captured or not). */
  errors: number;
  divergence: Divergence[];
  /** Statements that were not sent, by reason. */
  skipped: { what: string; count: number }[];
  /** Transactions whose beginning or end was not captured: run inside BEGIN, or rolled back at the end. */
  transactionsOpenAtStart: number;
  transactionsOpenAtEnd: number;
  /** Start of each statement against its scheduled time. All zero at speed `max`. */
  latenessMs: Percentiles;
  /** The part of it that is the player's own: statements whose session was idle when they were due. */
  playerLatenessMs: Percentiles;
  /** Share of the time in which the player's own thread was busy; near 1 it is the bottleneck. */
  playerUtilization: number;
  /** Successful statements only, from sending to the server being ready again: network and player included. */
  latencyMs: Percentiles;
  /** As the server logged them: its own work only. Compare two replays with one another rather than with this. */
  capturedLatencyMs: Percentiles;
  /** Statements per second. */
  throughput: number;
  templates: ReplayTemplate[];
  warnings: string[];
}
