import { z } from 'zod';
import { defineCommandType } from '../../dag/index.js';
import { benchmarkNamed } from '../../workload/index.js';
import type { WorkerCommand } from '../command.js';
import { cloneOf, launchType } from './clones.js';
import { commandName } from './schemas.js';

export const benchmarkName = z.enum(['tpcc', 'ycsb']);

const config = z.strictObject({
  benchmark: benchmarkName,
  scale: z.number().positive().default(1),
  seed: z.number().int().default(1),
  where: commandName.describe('The LAUNCH_EXPLORATORY_POSTGRES command whose clone is filled'),
});
const output = z.object({
  benchmark: benchmarkName,
  scale: z.number(),
  seed: z.number(),
  seconds: z.number(),
  bytes: z.number(),
  tables: z.array(z.object({ name: z.string(), rows: z.number(), bytes: z.number() })),
});

type Config = z.infer<typeof config>;
type Output = z.infer<typeof output>;

export const generateWorkload: WorkerCommand<Config, Output> = {
  type: defineCommandType<Config, Output>({
    type: 'GENERATE_WORKLOAD',
    summary: "Loads a benchmark's data into an exploratory PostgreSQL.",
    place: 'exploratory',
    config,
    output,
    defaultTimeoutMs: 2 * 3_600_000,
    // A load replaces what an earlier one left.
    onWorkerLost: 'retry',
    references: ({ where }) => [{ path: 'where', command: where, types: [launchType] }],
  }),
  async run({ benchmark, scale, seed, where }, context) {
    const { url } = await cloneOf(context, where);
    const { signal, progress } = context;
    const { tables, bytes, seconds } = await benchmarkNamed(benchmark).load(url, {
      scale,
      seed,
      signal,
      progress,
    });
    return { benchmark, scale, seed, seconds, bytes, tables };
  },
};
