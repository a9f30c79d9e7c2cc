import { z } from 'zod';
import { InputError, OttoError, parseDuration } from '../../base/index.js';
import { defineCommandType } from '../../dag/index.js';
import { benchmarkNamed } from '../../workload/index.js';
import type { CommandContext, WorkerCommand } from '../command.js';
import { cloneOf, launchType } from './clones.js';
import { benchmarkName } from './generate-workload.js';
import { putReport } from './report-artifact.js';
import { commandName, duration } from './schemas.js';

const config = z
  .strictObject({
    benchmark: benchmarkName,
    where: commandName.describe('The LAUNCH_EXPLORATORY_POSTGRES command whose clone is measured'),
    scale: z
      .number()
      .positive()
      .optional()
      .describe('Load at this scale first; absent: what is loaded is used'),
    seconds: z.number().positive().optional(),
    duration: duration.optional().describe('The same as seconds, also as text'),
    rate: z
      .number()
      .positive()
      .optional()
      .describe('Offered transactions a second; absent: as fast as it can'),
    connections: z.number().int().min(1).max(1000).default(8),
    seed: z.number().int().default(1),
  })
  .refine((value) => value.seconds === undefined || value.duration === undefined, {
    path: ['duration'],
    message: 'give seconds or duration, not both',
  });

const latency = z.object({
  mean: z.number(),
  p50: z.number(),
  p95: z.number(),
  p99: z.number(),
  max: z.number(),
});
const output = z.object({
  artifact: z.string(),
  benchmark: benchmarkName,
  scale: z.number(),
  seconds: z.number(),
  connections: z.number(),
  mode: z.enum(['open', 'closed']),
  throughput: z.number().describe('Completed transactions a second'),
  completed: z.number(),
  errors: z.number(),
  retries: z.number(),
  latency_ms: latency,
  warnings: z.array(z.string()),
});

type Config = z.infer<typeof config>;
type Output = z.infer<typeof output>;

const defaultSeconds = 60;

export const runBenchmark: WorkerCommand<Config, Output> = {
  type: defineCommandType<Config, Output>({
    type: 'RUN_BENCHMARK',
    summary: 'Runs a benchmark against an exploratory PostgreSQL and archives the measurement.',
    place: 'exploratory',
    config,
    output,
    defaultTimeoutMs: (value) => 2 * secondsOf(value) * 1000 + 3_600_000,
    onWorkerLost: 'retry',
    references: ({ where }) => [{ path: 'where', command: where, types: [launchType] }],
  }),
  run,
};

async function run(config: Config, context: CommandContext): Promise<Output> {
  const { url } = await cloneOf(context, config.where);
  const { seed, rate, connections } = config;
  const { signal, progress } = context;
  const benchmark = benchmarkNamed(config.benchmark);
  if (config.scale !== undefined) await benchmark.load(url, { scale: config.scale, seed, signal, progress });
  const report = await benchmark
    .run(url, {
      seconds: secondsOf(config),
      connections,
      seed,
      ...(rate !== undefined && { rate }),
      signal,
      progress,
    })
    .catch((error: unknown) => {
      if (error instanceof OttoError && error.code === 'BENCHMARK_NOT_LOADED') {
        throw new InputError(`${config.benchmark} is not loaded into ${config.where}`, {
          code: error.code,
          hint: 'Put a GENERATE_WORKLOAD command before this one, or give a scale here.',
          cause: error,
        });
      }
      throw error;
    });
  for (const warning of report.warnings) context.log('warn', warning);
  const errors = report.errors.reduce((sum, { count }) => sum + count, 0);
  const { mode, throughput, completed, retries, seconds, scale } = report;
  const artifact = await putReport(context, {
    kind: 'benchmark',
    name: `${config.benchmark}.json`,
    manifest: {
      schemaVersion: 1,
      benchmark: config.benchmark,
      scale,
      seconds,
      connections,
      mode,
      throughput,
      completed,
      errors,
    },
    content: report,
  });
  const { mean, p50, p95, p99, max } = report.latencyMs;
  return {
    artifact: artifact.id,
    benchmark: config.benchmark,
    scale,
    seconds,
    connections,
    mode,
    throughput,
    completed,
    errors,
    retries,
    latency_ms: { mean, p50, p95, p99, max },
    warnings: report.warnings,
  };
}

function secondsOf({ seconds, duration: text }: Config): number {
  return seconds ?? (text === undefined ? defaultSeconds : parseDuration(text) / 1000);
}
