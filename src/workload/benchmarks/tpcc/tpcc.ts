import type { Benchmark } from '../benchmark.js';
import { dropBenchmark } from '../engine/loaders.js';
import { checkTpcc } from './check.js';
import { scaleHelp } from './dimensions.js';
import { loadTpcc } from './load.js';
import { runTpcc, transactionTypes } from './run.js';

/**
 * Order processing after the TPC-C specification (revision 5.11): its tables, keys, population, skew, transactions
 * and mix. Not a TPC-C result: there are no terminals with keying and think times, and deliveries are not queued.
 */
export const tpcc: Benchmark = {
  name: 'tpcc',
  summary: 'Order processing after TPC-C: short read-write transactions with hot rows.',
  scaleHelp,
  transactionTypes,
  load: loadTpcc,
  run: runTpcc,
  check: checkTpcc,
  drop: (url, options) => dropBenchmark(url, 'tpcc', options?.signal),
};
