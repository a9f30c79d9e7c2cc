import { z } from 'zod';
import { defineCommandType } from '../../dag/index.js';
import { replayWorkload } from '../../workload/index.js';
import type { CommandContext, WorkerCommand } from '../command.js';
import { captureArtifact, captureName, captureReference } from './captures.js';
import { cloneOf, launchType } from './clones.js';
import { putReport } from './report-artifact.js';
import { commandName } from './schemas.js';

const config = z.strictObject({
  capture: captureName,
  where: commandName.describe('The LAUNCH_EXPLORATORY_POSTGRES command whose clone is played to'),
  speed: z
    .union([z.number().positive(), z.literal('max')])
    .default(1)
    .describe('1 = as captured, 2 = twice as fast'),
  max_connections: z.number().int().min(1).max(10_000).optional(),
});

const percentiles = z.object({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() });
const output = z.object({
  artifact: z.string(),
  capture: z.string().describe('The workload artifact that was played'),
  seconds: z.number(),
  sessions: z.number(),
  transactions: z.number(),
  statements: z.number(),
  errors: z.number(),
  throughput: z.number().describe('Statements a second'),
  divergence: z.array(z.object({ class: z.string(), count: z.number() })),
  lateness_ms: percentiles,
  latency_ms: percentiles,
  captured_latency_ms: percentiles,
  warnings: z.array(z.string()),
});

type Config = z.infer<typeof config>;
type Output = z.infer<typeof output>;

export const replayWorkloadCommand: WorkerCommand<Config, Output> = {
  type: defineCommandType<Config, Output>({
    type: 'REPLAY_WORKLOAD',
    summary: 'Plays a captured workload to an exploratory PostgreSQL and compares.',
    place: 'exploratory',
    config,
    output,
    defaultTimeoutMs: 6 * 3_600_000,
    // A replay changes its clone: a second one on what the first left would compare something else.
    onWorkerLost: 'fail',
    references: ({ where, capture }) => [
      { path: 'where', command: where, types: [launchType] },
      ...captureReference('capture', capture),
    ],
  }),
  run: replay,
};

async function replay(config: Config, context: CommandContext): Promise<Output> {
  const { url } = await cloneOf(context, config.where);
  const capture = captureArtifact(config.capture, context);
  context.progress({ phase: 'fetching the capture' });
  const { path } = await context.artifacts.get(capture);
  const report = await replayWorkload({
    file: path,
    url,
    speed: config.speed,
    ...(config.max_connections !== undefined && { maxConnections: config.max_connections }),
    signal: context.signal,
    progress: context.progress,
    logger: context.logger,
  });
  for (const warning of report.warnings) context.log('warn', warning);
  const divergence = report.divergence.map((found) => ({ class: found.class, count: found.count }));
  const { seconds, sessions, transactions, statements, errors, throughput, warnings } = report;
  const artifact = await putReport(context, {
    kind: 'replay',
    name: 'replay.json',
    manifest: {
      schemaVersion: 1,
      capture,
      speed: config.speed,
      seconds,
      statements,
      errors,
      throughput,
      divergence,
    },
    content: report,
  });
  return {
    artifact: artifact.id,
    capture,
    seconds,
    sessions,
    transactions,
    statements,
    errors,
    throughput,
    divergence,
    lateness_ms: report.latenessMs,
    latency_ms: report.latencyMs,
    captured_latency_ms: report.capturedLatencyMs,
    warnings,
  };
}
