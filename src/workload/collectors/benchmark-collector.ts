import { z } from 'zod';
import {
  type BenchmarkReport,
  benchmarkNamed,
  type ConsistencyReport,
  type LoadReport,
} from '../benchmarks/index.js';
import { defineCollector } from './collector.js';

const config = z.object({
  benchmark: z.enum(['tpcc', 'ycsb']).default('tpcc'),
  scale: z.number().positive().default(1).describe('Warehouses (tpcc), thousands of records (ycsb)'),
  seconds: z.number().positive().default(60),
  rate: z
    .number()
    .positive()
    .optional()
    .describe('Offered transactions per second; absent: as many as possible'),
  connections: z.int().min(1).max(1000).default(8),
  seed: z.int().default(1),
  mix: z.union([z.string(), z.record(z.string(), z.number())]).optional(),
  load: z.boolean().default(true).describe('Load the data first; false: use what was loaded before'),
  check: z.boolean().default(true).describe('Check the consistency of the data afterwards'),
  keep: z.boolean().default(false).describe('Leave the loaded data on the clone'),
});

const latency = z.object({
  mean: z.number(),
  p50: z.number(),
  p95: z.number(),
  p99: z.number(),
  p999: z.number(),
  max: z.number(),
});
const benchmark = z.enum(['tpcc', 'ycsb']);

const report: z.ZodType<BenchmarkReport> = z.object({
  benchmark,
  scale: z.number(),
  seconds: z.number(),
  connections: z.number(),
  mode: z.enum(['open', 'closed']),
  offeredRate: z.number().optional(),
  throughput: z.number(),
  completed: z.number(),
  errors: z.array(z.object({ code: z.string(), count: z.number(), message: z.string() })),
  retries: z.number(),
  unserved: z.number(),
  latencyMs: latency,
  byType: z.array(
    z.object({
      type: z.string(),
      completed: z.number(),
      rolledBack: z.number(),
      errors: z.number(),
      retries: z.number(),
      latencyMs: latency,
    }),
  ),
  series: z.array(z.object({ second: z.number(), completed: z.number(), p99Ms: z.number().nullable() })),
  client: z.object({
    cpuShare: z.number(),
    eventLoopLagP99Ms: z.number(),
    startDelayMs: z.object({ p50: z.number(), p99: z.number(), max: z.number() }).optional(),
  }),
  warnings: z.array(z.string()),
});

const load: z.ZodType<LoadReport> = z.object({
  benchmark,
  scale: z.number(),
  seed: z.number(),
  seconds: z.number(),
  tables: z.array(z.object({ name: z.string(), rows: z.number(), bytes: z.number() })),
  bytes: z.number(),
});

const consistency: z.ZodType<ConsistencyReport> = z.object({
  benchmark,
  consistent: z.boolean(),
  conditions: z.array(
    z.object({
      id: z.string(),
      text: z.string(),
      checked: z.number(),
      violations: z.number(),
      samples: z.array(z.record(z.string(), z.unknown())),
    }),
  ),
});

/** Writes, so it is for clones only. */
export const benchmarkCollector = defineCollector({
  type: 'BENCHMARK',
  summary: 'Loads and runs a benchmark: throughput and latency percentiles by transaction type.',
  config,
  result: z.object({ load: load.nullable(), report, consistency: consistency.nullable() }),
  roles: ['clone'],
  holdsUserData: false,
  defaultTimeoutMs: (given) => 2 * given.seconds * 1000 + 3_600_000,
  async setup({ url, config: given, signal, progress }) {
    const chosen = benchmarkNamed(given.benchmark);
    const { scale, seed } = given;
    return given.load ? await chosen.load(url, { scale, seed, signal, progress }) : null;
  },
  async collect({ url, config: given, signal, progress, log }, loaded: LoadReport | null) {
    const chosen = benchmarkNamed(given.benchmark);
    const { seconds, connections, seed, rate, mix } = given;
    const ran = await chosen.run(url, {
      seconds,
      connections,
      seed,
      ...(rate !== undefined && { rate }),
      ...(mix !== undefined && { mix }),
      signal,
      progress,
    });
    for (const warning of ran.warnings) log('warn', warning);
    return {
      load: loaded,
      report: ran,
      consistency: given.check ? await chosen.check(url, { signal }) : null,
    };
  },
  async cleanup({ url, config: given, signal }) {
    // Also after a load that broke off; what an earlier command loaded is not ours to drop.
    if (given.load && !given.keep) await benchmarkNamed(given.benchmark).drop(url, { signal });
  },
  rows: ({ report: ran }) => ran.byType.length,
});
