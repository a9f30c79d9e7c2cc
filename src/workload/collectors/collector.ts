import type { z } from 'zod';
import type { ProgressSink } from '../../base/index.js';

/** What a collector looks at: a disposable copy, a standby, or the server that people use. */
export type CollectorRole = 'clone' | 'replica' | 'primary';

export interface CollectorContext<Config> {
  /** Connection string of the server to look at. Never log it. */
  url: string;
  role: CollectorRole;
  /** As the collector's schema read it: defaults filled in, unknown keys gone. */
  config: Config;
  /** For files of its own, beside the result that is written for it. */
  outDirectory: string;
  /** Aborted on cancel and when the time is up; while cleaning up it is a signal of the clean-up's own. */
  signal: AbortSignal;
  progress: ProgressSink;
  log(level: 'info' | 'warn' | 'error', message: string): void;
  /** A capture's Parquet file, for collectors that look at the workload. */
  captureFile?: string;
}

/**
 * A plug-in that looks at a server: `setup → collect → cleanup`. `State` is what `setup` made and the others need.
 * One object serves many collections at once, so it keeps nothing in itself.
 */
export interface DataCollector<Config = unknown, Result = unknown, State = unknown> {
  /** The name in a DAG's `data_collector_type`: capitals, digits and underscores. */
  readonly type: string;
  /** One sentence for a person. */
  readonly summary: string;
  readonly config: z.ZodType<Config>;
  readonly result: z.ZodType<Result>;
  /** Where it may be used; default everywhere. */
  readonly roles?: readonly CollectorRole[];
  /** Whether the result may hold values out of user tables. Said in the manifest; default true. */
  readonly holdsUserData?: boolean | ((config: Config) => boolean);
  /** Limit of `setup` and `collect` together where the caller gives none; default ten minutes. */
  readonly defaultTimeoutMs?: number | ((config: Config) => number);
  setup(context: CollectorContext<Config>): Promise<State>;
  collect(context: CollectorContext<Config>, state: State): Promise<Result>;
  /** Called once, whatever happened: also when `setup` failed (`state` is then undefined) and after an abort. */
  cleanup(context: CollectorContext<Config>, state: State | undefined): Promise<void>;
  /** How many rows (relations, settings, plans …) a result has; absent: its length where it is a list, else 1. */
  rows?(result: Result): number;
}

/** What is known of a result without reading it. */
export interface CollectorManifest {
  schemaVersion: 1;
  collector: string;
  role: CollectorRole;
  /** Null when the server could not be asked. */
  server: { version: string; major: number; isStandby: boolean; database: string } | null;
  config: unknown;
  startedAt: string;
  endedAt: string;
  seconds: number;
  rows: number;
  /** The result may hold values out of user tables. */
  holdsUserData: boolean;
  /** Everything at level `warn` or `error` that the collector logged. */
  warnings: string[];
}

/** Keeps the inferred types of config, result and state together while a list of collectors forgets them. */
export function defineCollector<Config, Result, State>(
  collector: DataCollector<Config, Result, State>,
): DataCollector<Config, Result, State> {
  return collector;
}

/** A collector in a list: which types it has inside only its own functions know. */
// biome-ignore lint/suspicious/noExplicitAny: functions of unlike parameters have no other common supertype
export type AnyCollector = DataCollector<any, any, any>;
