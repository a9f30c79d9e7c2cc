export type {
  Benchmark,
  BenchmarkName,
  BenchmarkReport,
  Condition,
  ConsistencyReport,
  Isolation,
  LatencySummary,
  LoadOptions,
  LoadReport,
  RunOptions,
  TypeReport,
} from './benchmark.js';
export { benchmarkNamed, benchmarks } from './registry.js';
