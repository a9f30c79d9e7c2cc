import { z } from 'zod';
import { formatBytes, OttoError, parseDuration } from '../../base/index.js';
import { defineCommandType } from '../../dag/index.js';
import { type CloneRequest, createClone, dropClone } from '../../postgres/index.js';
import { cloneIdOf } from '../clone-id.js';
import type { CommandContext, TargetAccess, WorkerCommand } from '../command.js';
import { launchType } from './clones.js';
import { duration, parseSize, size } from './schemas.js';

const defaultTtlMs = 24 * 3_600_000;

const limits = z.strictObject({
  memory: size.optional().describe('Most memory the clone plans with, such as "1GB"'),
  max_connections: z.number().int().min(1).max(10_000).optional(),
  cpu_cores: z.number().positive().optional(),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});

const config = z
  .strictObject({
    snapshot: z.boolean().default(false).describe('A copy of the target; otherwise an empty server'),
    source: z
      .enum(['primary', 'replica'])
      .optional()
      .describe('Default: the replica where the target has one'),
    method: z.enum(['auto', 'backup', 'dump', 'template', 'empty']).default('auto'),
    limits: limits.optional(),
    ttl: duration.optional().describe('Time to live; default 24 h, or without end where keep is set'),
    keep: z.boolean().default(false).describe('Outlives the run'),
    database: z
      .string()
      .min(1)
      .optional()
      .describe('What to copy with dump or template; default: the database of the target'),
  })
  .superRefine((value, context) => {
    if (!value.snapshot && value.method !== 'auto' && value.method !== 'empty') {
      context.addIssue({
        code: 'custom',
        path: ['method'],
        message: `"${value.method}" copies: it needs snapshot: true`,
      });
    }
    if (value.snapshot && value.method === 'empty') {
      context.addIssue({
        code: 'custom',
        path: ['method'],
        message: '"empty" copies nothing: it needs snapshot: false',
      });
    }
    if (!value.snapshot && value.source !== undefined) {
      context.addIssue({ code: 'custom', path: ['source'], message: 'is for snapshot: true only' });
    }
  });

const output = z.object({
  instance: z.string(),
  host: z.string(),
  port: z.number().int(),
  socket_directory: z.string().optional(),
  user: z.string(),
  database: z.string(),
  method: z.string(),
  tool: z.string(),
  why: z.string(),
  lsn: z.string().optional(),
  bytes: z.number(),
  seconds: z.number(),
  version: z.string(),
});

type Config = z.infer<typeof config>;
type Output = z.infer<typeof output>;

export const launchExploratoryPostgres: WorkerCommand<Config, Output> = {
  type: defineCommandType<Config, Output>({
    type: launchType,
    summary: 'Starts an exploratory PostgreSQL: a consistent copy of the target, or an empty one.',
    place: 'exploratory',
    config,
    output,
    defaultTimeoutMs: 2 * 3_600_000,
    onWorkerLost: 'retry',
    makes: 'clone',
  }),
  run: launch,
};

async function launch(config: Config, context: CommandContext): Promise<Output> {
  const id = cloneIdOf(context.key);
  const source = config.snapshot ? sourceOf(config, context.target) : undefined;
  const ttlMs =
    config.ttl === undefined ? (config.keep ? undefined : defaultTtlMs) : parseDuration(config.ttl);
  await clearRemains(id, context);
  await context.cloneRegistry.started({
    id,
    ...(config.method !== 'auto' && { method: config.method }),
    ...(source && { source: source.role }),
    ...(ttlMs !== undefined && { expiresAt: new Date(context.clock.now() + ttlMs).toISOString() }),
    keep: config.keep,
    limits: config.limits ?? {},
  });
  try {
    const made = await createClone({
      ...(source && { source }),
      method: config.snapshot ? config.method : 'empty',
      id,
      root: context.root,
      ...(config.limits && { limits: limitsOf(config.limits) }),
      ...(config.database !== undefined && { database: config.database }),
      signal: context.signal,
      progress: context.progress,
      logger: context.logger,
    });
    context.signal.throwIfAborted();
    context.log('info', `${made.method} by ${made.tool}: ${made.why}`);
    const { connection, method, version, lsn, bytes, seconds } = made;
    await context.cloneRegistry.ready({
      id,
      method,
      connection,
      version,
      ...(lsn !== undefined && { lsn }),
      bytes,
      seconds,
    });
    return {
      instance: id,
      host: connection.host,
      port: connection.port,
      ...(connection.socketDirectory !== undefined && { socket_directory: connection.socketDirectory }),
      user: connection.user,
      database: connection.database,
      method,
      tool: made.tool,
      why: made.why,
      ...(lsn !== undefined && { lsn }),
      bytes,
      seconds,
      version,
    };
  } catch (error) {
    await takeDown(id, `not made: ${OttoError.from(error).message}`, context);
    throw error;
  }
}

/** A failure here does not hide why: what is left has a time to live, and the worker's collector goes on trying. */
async function takeDown(id: string, why: string, context: CommandContext): Promise<void> {
  try {
    await dropClone(context.root, id);
    await context.cloneRegistry.stopped(id, why);
  } catch (error) {
    context.logger.error({ err: error, clone: id }, 'the remains of a launch were not cleared away');
    context.log('error', `remains were not cleared away: ${OttoError.from(error).message}`);
  }
}

async function clearRemains(id: string, context: CommandContext): Promise<void> {
  const { freedBytes } = await dropClone(context.root, id);
  if (freedBytes > 0)
    context.log('warn', `${formatBytes(freedBytes)} left by an earlier attempt were cleared away`);
}

function sourceOf(config: Config, target: TargetAccess | undefined): NonNullable<CloneRequest['source']> {
  if (!target) {
    throw new OttoError('NO_TARGET', 'snapshot: true copies the target of the run, and this run has none', {
      hint: 'Submit the DAG with a target, or take snapshot: false for an empty server.',
    });
  }
  const role = config.source ?? (target.replicaUrl === undefined ? 'primary' : 'replica');
  if (role === 'primary') return { url: target.primaryUrl, role };
  if (target.replicaUrl === undefined) {
    throw new OttoError('NO_REPLICA', `target ${target.name} has no replica to copy from`, {
      hint: 'Give the target a replica, or take source: primary.',
    });
  }
  return { url: target.replicaUrl, role };
}

function limitsOf(limits: NonNullable<Config['limits']>): NonNullable<CloneRequest['limits']> {
  const { memory, max_connections, cpu_cores, settings } = limits;
  return {
    ...(memory !== undefined && { memoryBytes: parseSize(memory)! }),
    ...(max_connections !== undefined && { maxConnections: max_connections }),
    ...(cpu_cores !== undefined && { cpuCores: cpu_cores }),
    ...(settings && {
      settings: Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)])),
    }),
  };
}
