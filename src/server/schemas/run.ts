import { z } from 'zod';
import { artifactView } from './artifact.js';
import { errorJson, issueSchema, jsonObject, progressView, time } from './common.js';

export const runState = z.enum(['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT']);
const commandState = z.enum([
  'PENDING',
  'READY',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
  'SKIPPED',
  'CANCELLED',
  'TIMED_OUT',
]);
const attemptState = z.enum(['ASSIGNED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT', 'LOST']);

export const dagSchema = z
  .object({
    name: z.string(),
    version: z.string(),
    description: z.string().optional(),
    target: z.string().optional(),
    timeoutMs: z.number().optional(),
    parameters: z.array(
      z.object({
        name: z.string(),
        type: z.enum(['string', 'integer', 'number', 'boolean', 'duration', 'object', 'array']),
        description: z.string().optional(),
        default: z.unknown().optional(),
      }),
    ),
    commands: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        parents: z.array(z.string()),
        config: jsonObject,
        timeoutMs: z.number().optional(),
        retry: z.object({
          attempts: z.number(),
          backoffMs: z.number(),
          factor: z.number(),
          maxBackoffMs: z.number(),
        }),
        when: z.string(),
        cleanup: z.boolean(),
        concurrencyKey: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'Dag' });

const runFields = {
  id: z.string(),
  name: z.string(),
  state: runState,
  targetId: z.string().optional(),
  targetName: z.string().optional(),
  createdBy: z.string(),
  createdAt: time,
  startedAt: time.optional(),
  endedAt: time.optional(),
  durationMs: z.number().optional(),
  cancelRequested: z.boolean(),
  error: errorJson.optional(),
  rerunOf: z.string().optional(),
  scheduleId: z.string().optional(),
};

const counts = z.object({
  total: z.number(),
  succeeded: z.number(),
  failed: z.number(),
  running: z.number(),
});

export const runSummary = z.object({ ...runFields, commands: counts }).meta({ id: 'RunSummary' });

export const commandView = z
  .object({
    name: z.string(),
    type: z.string(),
    parents: z.array(z.string()),
    cleanup: z.boolean(),
    state: commandState,
    attempt: z.number(),
    maxAttempts: z.number(),
    reason: z.string().optional().describe('Why it waits or was skipped'),
    progress: progressView.optional(),
    workerId: z.string().optional(),
    readyAt: time.optional(),
    startedAt: time.optional(),
    endedAt: time.optional(),
    seconds: z.number().optional(),
    input: z.unknown().optional(),
    output: z.unknown().optional(),
    error: errorJson.optional(),
    attempts: z.array(
      z.object({
        number: z.number(),
        state: attemptState,
        workerId: z.string().optional(),
        startedAt: time.optional(),
        endedAt: time.optional(),
        error: errorJson.optional(),
      }),
    ),
    artifacts: z.array(artifactView),
  })
  .meta({ id: 'CommandView' });

export const runDetail = z
  .object({
    ...runFields,
    commandCounts: counts,
    dag: dagSchema,
    document: z.unknown(),
    parameters: jsonObject,
    commands: z.array(commandView),
  })
  .meta({ id: 'RunDetail' });

/** What the stream of a run sends on each change: enough to colour the graph. */
export const runLight = z
  .object({
    id: z.string(),
    state: runState,
    commands: z.array(
      commandView.pick({
        name: true,
        state: true,
        attempt: true,
        progress: true,
        startedAt: true,
        endedAt: true,
        error: true,
        reason: true,
      }),
    ),
  })
  .meta({ id: 'RunLight' });

export const eventView = z
  .object({
    id: z.number(),
    at: time,
    kind: z.enum(['run', 'command', 'log', 'progress']),
    command: z.string().optional(),
    level: z.enum(['debug', 'info', 'warn', 'error']),
    message: z.string(),
    data: z.unknown().optional(),
  })
  .meta({ id: 'EventView' });

/** JSON or YAML text, or the document itself. */
export const documentInput = z.union([z.string().max(1_000_000), z.array(z.unknown()), jsonObject]);

export const submitBody = z.strictObject({
  document: documentInput,
  parameters: jsonObject.optional(),
  target: z.string().max(100).optional().describe('Id or name'),
});

export const validation = z
  .object({ valid: z.boolean(), issues: z.array(issueSchema), dag: dagSchema.optional() })
  .meta({ id: 'DagValidation' });
