import type { Benchmark } from '../benchmark.js';
import { dropBenchmark } from '../engine/loaders.js';
import { checkYcsb } from './check.js';
import { loadYcsb, scaleHelp } from './load.js';
import { runYcsb } from './run.js';
import { operations } from './workloads.js';

/** The Yahoo! Cloud Serving Benchmark's core workloads A to F on one table of ten text fields. */
export const ycsb: Benchmark = {
  name: 'ycsb',
  summary: 'Key-value requests after YCSB: reads, updates, inserts and scans of single records.',
  scaleHelp,
  transactionTypes: operations,
  load: loadYcsb,
  run: runYcsb,
  check: checkYcsb,
  drop: (url, options) => dropBenchmark(url, 'ycsb', options?.signal),
};
