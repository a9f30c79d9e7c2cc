import type { Clock, Logger, ProgressSink } from '../../base/index.js';
import type { Journal } from '../../postgres/index.js';

/** How a capture can be had. Others are named so that they are refused by name, never taken for `auto`. */
export type CaptureMethod = 'log';

export interface CaptureOptions {
  /** Connection string of the server that is captured. */
  url: string;
  /** Which server of the target it is: decides whose journal entries are written. */
  server: 'primary' | 'replica';
  /** Length of the capture, from the moment every setting is in force. */
  seconds: number;
  method: 'auto' | CaptureMethod;
  /** Where each setting is journalled before it is changed. */
  journal: Journal;
  /** Folder for the Parquet file; made when missing. Nothing else is written. */
  outDirectory: string;
  signal?: AbortSignal;
  progress?: ProgressSink;
  logger?: Logger;
  clock?: Clock;
  limits?: CaptureLimits;
}

export interface CaptureLimits {
  /** How long the server may be away (a restart in mid-capture) before the capture gives up. Default 60 s. */
  reconnectMs?: number;
  /** How long the log may take to show a marker statement of ours. Default 30 s. */
  markerMs?: number;
  /** Transactions/s are sampled for this long before anything is changed. Default a tenth of the capture, 1–5 s. */
  baselineMs?: number;
  /** Memory of the embedded engine that sorts and writes the archive. Default 256 MB. */
  memoryBytes?: number;
  /** The capture ends while the disk still has this much: of the archive with an error, of the log early. Default 256 MB. */
  minimumFreeBytes?: number;
  /** Read the log through SQL even where its folder is readable here. */
  readThroughSql?: boolean;
}

/** Something that is not in the archive though it happened, or that is there in part. */
export interface Lost {
  what: string;
  /** How many; null where it cannot be known. */
  count: number | null;
  why: string;
}

/** What the capture cost the server, as far as it can honestly be known. */
export interface CaptureOverhead {
  /** Committed transactions per second over all databases (pg_stat_database), before and during. */
  commitsPerSecondBefore: number | null;
  commitsPerSecondDuring: number | null;
  sampledSecondsBefore: number;
  /** Bytes that the server wrote to the log files that were read. */
  logBytes: number;
  logBytesPerSecond: number;
  /** What these numbers do not say. */
  caveat: string;
}

export interface CaptureCounts {
  /** Rows of the archive: every statement, failed or not, transaction control too. */
  events: number;
  /** Events that are not BEGIN, COMMIT, ROLLBACK or savepoints. */
  statements: number;
  sessions: number;
  transactions: number;
  errors: number;
  templates: number;
  /** Statements that libpg_query cannot parse; their fingerprint begins with `raw:`. */
  unparsed: number;
  /** Records of the log that were read, of all kinds. */
  logRecords: number;
  sessionsOpenAtStart: number;
  transactionsOpenAtStart: number;
  transactionsOpenAtEnd: number;
}

export interface RestoredSetting {
  setting: string;
  outcome: 'RESTORED' | 'KEPT_THEIRS';
  note?: string;
}

export interface CaptureManifest {
  schemaVersion: 1;
  /** ISO-8601, UTC. From the first marker to the last. */
  startedAt: string;
  endedAt: string;
  seconds: number;
  method: CaptureMethod;
  why: string;
  server: { role: 'primary' | 'replica'; version: string; startedAt: string };
  columns: { name: string; type: string }[];
  counts: CaptureCounts;
  lost: Lost[];
  overhead: CaptureOverhead;
  settings: { changed: Record<string, string>; restored: RestoredSetting[] };
  log: { format: LogFormat; readThrough: 'files' | 'sql'; bytes: number; files: string[] };
  bytes: number;
  sha256: string;
}

export interface CaptureResult {
  /** The Parquet file. */
  file: string;
  manifest: CaptureManifest;
}

export type LogFormat = 'jsonlog' | 'csvlog';

/** Whether a method can be had on a server, and why or why not. */
export interface MethodVerdict {
  method: 'log' | 'statements' | 'proxy';
  possible: boolean;
  why: string;
  hint?: string;
}
