import { z } from 'zod';
import { type CommandType, defineCommandType } from '../../dag/index.js';

const local = z.strictObject({
  how: z.literal('local').default('local'),
  name: z.string().min(1).optional(),
  root: z.string().min(1).optional(),
  keep: z.boolean().default(false),
});

const ssh = z.strictObject({
  how: z.literal('ssh'),
  host: z.string().min(1).regex(/^[^-]/, 'must not start with a dash'),
  user: z.string().min(1).regex(/^[^-]/, 'must not start with a dash').optional(),
  port: z.number().int().min(1).max(65_535).default(22),
  identity_file: z.string().min(1).optional().describe('Private key, as the control plane sees it'),
  known_hosts_file: z
    .string()
    .min(1)
    .optional()
    .describe('Keys of hosts that are trusted; default: those that ssh knows'),
  otto_path: z
    .string()
    .min(1)
    .default('otto')
    .describe('The program at that host, or a script that passes its arguments on to it'),
  root: z.string().min(1).optional().describe("The worker's folder at that host, seen from the home folder"),
  name: z.string().min(1).optional(),
  keep: z.boolean().default(false).describe('Outlives the run'),
});

const running = z.strictObject({
  how: z.literal('running'),
  worker: z.string().min(1).describe('Id or name of a worker that is attached'),
});

// The original format has no config at all: a local child.
const config = z.discriminatedUnion('how', [local, ssh, running]);

const output = z.object({
  worker: z.string().describe('Its id'),
  name: z.string(),
  how: z.enum(['local', 'ssh', 'running']),
  host: z.string().optional(),
});

/** How a LAUNCH_…_WORKER command gets its worker. */
export type LaunchWorkerConfig = z.infer<typeof config>;
export type LaunchWorkerOutput = z.infer<typeof output>;

function launchWorkerType(
  side: 'PRIMARY' | 'EXPLORATORY',
  summary: string,
): CommandType<LaunchWorkerConfig, LaunchWorkerOutput> {
  return defineCommandType<LaunchWorkerConfig, LaunchWorkerOutput>({
    type: `LAUNCH_${side}_WORKER`,
    summary,
    place: 'control',
    config,
    output,
    defaultTimeoutMs: 2 * 60_000,
    onWorkerLost: 'retry',
    makes: 'worker',
  });
}

export const launchPrimaryWorkerType = launchWorkerType(
  'PRIMARY',
  'Starts or finds the worker beside the primary.',
);
export const launchExploratoryWorkerType = launchWorkerType(
  'EXPLORATORY',
  'Starts or finds the worker that makes and uses exploratory servers.',
);
