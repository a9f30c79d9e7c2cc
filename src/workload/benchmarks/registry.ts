import { InputError } from '../../base/index.js';
import type { Benchmark, BenchmarkName } from './benchmark.js';
import { tpcc } from './tpcc/tpcc.js';
import { ycsb } from './ycsb/ycsb.js';

/** The benchmarks that there are, by name. */
export const benchmarks: Readonly<Record<BenchmarkName, Benchmark>> = { tpcc, ycsb };

/** The benchmark of that name, or an InputError that lists the names. */
export function benchmarkNamed(name: string): Benchmark {
  const found = Object.values(benchmarks).find((benchmark) => benchmark.name === name);
  if (found) return found;
  throw new InputError(`there is no benchmark "${name}"`, {
    code: 'UNKNOWN_BENCHMARK',
    hint: `Known: ${Object.keys(benchmarks).join(', ')}.`,
  });
}
