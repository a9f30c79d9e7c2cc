import type { ProgressSink } from '../../base/index.js';

export type BenchmarkName = 'tpcc' | 'ycsb';

export interface LoadOptions {
  /** How much data: warehouses for `tpcc`, thousands of records for `ycsb`. See `Benchmark.scaleHelp`. */
  scale: number;
  /** The same seed and scale give the same data. Default 1. */
  seed?: number;
  signal?: AbortSignal;
  progress?: ProgressSink;
}

export interface LoadReport {
  benchmark: BenchmarkName;
  scale: number;
  seed: number;
  seconds: number;
  tables: { name: string; rows: number; bytes: number }[];
  /** Tables with their indexes and TOAST. */
  bytes: number;
}

export type Isolation = 'read committed' | 'repeatable read' | 'serializable';

export interface RunOptions {
  /** Length of the measurement. Transactions under way at its end are let finish and are counted. */
  seconds: number;
  /** Offered transactions per second (open loop). Absent: each connection starts the next at once (closed loop). */
  rate?: number;
  /** Open loop: how starts are spaced. Default `poisson`. */
  arrivals?: 'poisson' | 'constant';
  connections: number;
  /** The n-th transaction of a run has the same type and inputs for the same seed. Default 1. */
  seed?: number;
  /** Weights by transaction type; for `ycsb` also the letter of a core workload, `A` to `F` (default `A`). */
  mix?: string | Record<string, number>;
  /** `ycsb` only: overrides the core workload's request distribution. */
  distribution?: 'zipfian' | 'latest' | 'uniform';
  /** `tpcc` only. Default `read committed`; the stricter levels show up as retries. */
  isolation?: Isolation;
  /** Limit of one statement. Default 30 000. */
  statementTimeoutMs?: number;
  signal?: AbortSignal;
  progress?: ProgressSink;
}

export interface LatencySummary {
  mean: number;
  p50: number;
  p95: number;
  p99: number;
  p999: number;
  max: number;
}

export interface TypeReport {
  type: string;
  completed: number;
  /** Of the completed ones, those that end in a rollback by design (1 % of New-Order). */
  rolledBack: number;
  errors: number;
  retries: number;
  latencyMs: LatencySummary;
}

export interface BenchmarkReport {
  benchmark: BenchmarkName;
  /** As loaded. */
  scale: number;
  /** Measured length. */
  seconds: number;
  connections: number;
  mode: 'open' | 'closed';
  offeredRate?: number;
  /** Completed transactions per second. */
  throughput: number;
  completed: number;
  /** By SQLSTATE, or by the driver's code where the server gave none. A retried transaction is no error. */
  errors: { code: string; count: number; message: string }[];
  /** Transactions tried again after a serialization failure or a deadlock, each try counted. */
  retries: number;
  /** Open loop: arrivals that no connection had taken up when time was over. */
  unserved: number;
  /**
   * Open loop: from the intended start, so that waiting for a connection counts; arrivals left unserved enter with
   * the time they had waited by the end. Closed loop: from the actual start.
   */
  latencyMs: LatencySummary;
  byType: TypeReport[];
  /** One entry per second, by the second in which a transaction ended. `p99Ms` is null where none ended. */
  series: { second: number; completed: number; p99Ms: number | null }[];
  /** The load generator's own state: `cpuShare` is the part of the time its event loop was busy. */
  client: {
    cpuShare: number;
    eventLoopLagP99Ms: number;
    startDelayMs?: { p50: number; p99: number; max: number };
  };
  /** What makes the numbers doubtful, each a sentence. */
  warnings: string[];
}

export interface Condition {
  id: string;
  /** What must hold. */
  text: string;
  /** Groups (districts, records …) looked at. */
  checked: number;
  violations: number;
  /** The first few violations. */
  samples: Record<string, unknown>[];
}

export interface ConsistencyReport {
  benchmark: BenchmarkName;
  consistent: boolean;
  conditions: Condition[];
}

/** A load generator with its own schema (named like the benchmark) in the database that the URL names. */
export interface Benchmark {
  readonly name: BenchmarkName;
  readonly summary: string;
  readonly scaleHelp: string;
  readonly transactionTypes: readonly string[];
  /**
   * Creates and fills the schema; one left by an earlier load is replaced. Rejects with SCHEMA_NOT_OURS when a schema
   * of that name was made by somebody else.
   */
  load(url: string, options: LoadOptions): Promise<LoadReport>;
  /** Rejects with BENCHMARK_NOT_LOADED when there is no complete load. */
  run(url: string, options: RunOptions): Promise<BenchmarkReport>;
  /** Looks at one snapshot of the data, changes nothing. */
  check(url: string, options?: { signal?: AbortSignal }): Promise<ConsistencyReport>;
  /** Drops the schema where it is ours; false when there was none. */
  drop(url: string, options?: { signal?: AbortSignal }): Promise<boolean>;
}
