import { z } from 'zod';
import { CommandTypes, defineCommandType } from '../index.js';

const minute = 60_000;
const worker = { defaultTimeoutMs: minute, onWorkerLost: 'retry' } as const;

/** Types in the shape of the real ones, for tests of what is below them. */
export function stubTypes(): CommandTypes {
  return new CommandTypes([
    defineCommandType({
      ...worker,
      type: 'LAUNCH_PRIMARY_WORKER',
      summary: 'Starts the worker beside the primary.',
      place: 'control',
      config: z.strictObject({ how: z.enum(['local', 'ssh', 'running']).default('local') }),
      output: z.object({ workerId: z.string() }),
      makes: 'worker',
    }),
    defineCommandType({
      ...worker,
      type: 'LAUNCH_EXPLORATORY_WORKER',
      summary: 'Starts the worker that holds the copies.',
      place: 'control',
      config: z.strictObject({ how: z.enum(['local', 'ssh', 'running']).default('local') }),
      output: z.object({ workerId: z.string() }),
      makes: 'worker',
    }),
    defineCommandType({
      ...worker,
      type: 'CAPTURE_PRIMARY_WORKLOAD',
      summary: 'Records the workload.',
      place: 'primary',
      config: z.strictObject({
        time_period: z.number().min(1).max(86_400).default(5),
        method: z.enum(['auto', 'log']).default('auto'),
      }),
      output: z.object({
        artifact: z.string(),
        counts: z.object({ events: z.number(), statements: z.number() }),
      }),
      defaultTimeoutMs: (config) => config.time_period * 1000 + minute,
    }),
    defineCommandType({
      ...worker,
      type: 'LAUNCH_EXPLORATORY_POSTGRES',
      summary: 'Makes a copy.',
      place: 'exploratory',
      config: z.strictObject({
        snapshot: z.boolean().default(false),
        source: z.enum(['primary', 'replica']).default('replica'),
        method: z.enum(['auto', 'backup', 'dump', 'template', 'empty']).default('auto'),
      }),
      output: z.object({ instance: z.string(), port: z.number(), method: z.string(), bytes: z.number() }),
      makes: 'clone',
    }),
    defineCommandType({
      ...worker,
      type: 'STOP_EXPLORATORY_POSTGRES',
      summary: 'Deletes a copy.',
      place: 'exploratory',
      config: z.strictObject({ launch_command: z.string() }),
      output: z.object({ freedBytes: z.number() }),
      references: ({ launch_command }) => [
        { path: 'launch_command', command: launch_command, types: ['LAUNCH_EXPLORATORY_POSTGRES'] },
      ],
    }),
    defineCommandType({
      ...worker,
      type: 'COLLECT_DATA_FROM_EXPLORATORY',
      summary: 'Runs a data collector.',
      place: 'exploratory',
      config: z.strictObject({
        target: z.string(),
        data_collector_type: z.enum(['CATALOG', 'SETTINGS', 'STATISTICS', 'METRICS']),
        data_collector_config: z.record(z.string(), z.unknown()).default({}),
      }),
      output: z.object({ artifact: z.string() }),
    }),
    defineCommandType({
      ...worker,
      type: 'REPLAY_WORKLOAD',
      summary: 'Plays a capture against a copy.',
      place: 'exploratory',
      config: z.strictObject({
        capture: z.string(),
        where: z.string(),
        speed: z.union([z.number().positive(), z.literal('max')]).default(1),
      }),
      output: z.object({ artifact: z.string(), seconds: z.number(), errors: z.number() }),
      references: ({ where }) => [{ path: 'where', command: where, types: ['LAUNCH_EXPLORATORY_POSTGRES'] }],
    }),
  ]);
}
