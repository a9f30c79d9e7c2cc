import { z } from 'zod';
import { jsonObject, time } from './common.js';

export const changeView = z
  .object({
    id: z.string(),
    targetId: z.string(),
    server: z.string(),
    setting: z.string(),
    before: z.object({
      autoConf: z.string().nullable().describe('Its line in postgresql.auto.conf; null: there was none'),
      value: z.string(),
      source: z.string(),
    }),
    ours: z.string(),
    state: z.enum(['INTENDED', 'RESTORED', 'KEPT_THEIRS']),
    reason: z.string(),
    runId: z.string().optional(),
    command: z.string().optional(),
    note: z.string().optional(),
    createdAt: time,
    resolvedAt: time.optional(),
  })
  .meta({ id: 'ChangeView' });

export const cloneView = z
  .object({
    id: z.string(),
    runId: z.string().optional(),
    command: z.string().optional(),
    workerId: z.string(),
    targetId: z.string().optional(),
    method: z.string().optional(),
    source: z.string().optional(),
    state: z.enum(['STARTING', 'READY', 'STOPPING', 'STOPPED', 'LOST']),
    connection: z
      .object({
        host: z.string(),
        port: z.number(),
        socketDirectory: z.string().optional(),
        user: z.string(),
        database: z.string(),
      })
      .optional(),
    version: z.string().optional(),
    lsn: z.string().optional(),
    bytes: z.number().optional(),
    seconds: z.number().optional(),
    expiresAt: time.optional(),
    createdAt: time,
    stoppedAt: time.optional(),
    note: z.string().optional(),
  })
  .meta({ id: 'CloneView' });

export const workerInfo = z
  .object({
    host: z.string().optional(),
    pid: z.number().optional(),
    version: z.string().optional(),
    root: z.string().optional(),
    freeBytes: z.number().optional(),
    cores: z.number().optional(),
    memoryBytes: z.number().optional(),
    region: z.string().optional(),
    postgres: z.array(z.object({ major: z.number(), bin: z.string() })).optional(),
    allowCommand: z.boolean().optional(),
  })
  .meta({ id: 'WorkerInfo', description: 'What the worker says of itself' });

export const workerView = z
  .object({
    id: z.string(),
    kind: z.enum(['primary', 'exploratory']),
    name: z.string(),
    how: z.enum(['local', 'ssh', 'manual']),
    state: z.enum(['STARTING', 'READY', 'DRAINING', 'LOST', 'STOPPED']),
    targetId: z.string().optional(),
    runId: z.string().optional(),
    leaseEpoch: z.number(),
    leaseExpiresAt: time.optional(),
    controlPlaneId: z.string().optional(),
    info: workerInfo,
    note: z.string().optional(),
    createdAt: time,
    attachedAt: time.optional(),
    stoppedAt: time.optional(),
    running: z.array(z.object({ runId: z.string(), command: z.string() })),
  })
  .meta({ id: 'WorkerView' });

export const controlPlaneView = z
  .object({
    id: z.string(),
    host: z.string(),
    pid: z.number(),
    version: z.string(),
    startedAt: time,
    leaseExpiresAt: time,
    self: z.boolean().describe('The one that answered'),
  })
  .meta({ id: 'ControlPlaneView' });

export const commandTypeView = z
  .object({
    type: z.string(),
    summary: z.string(),
    place: z.string().describe('control, primary, exploratory, or by config'),
    configSchema: jsonObject.describe('JSON Schema'),
    outputSchema: jsonObject.describe('JSON Schema'),
    defaultTimeoutMs: z.number().optional().describe('Absent: it depends on the config'),
  })
  .meta({ id: 'CommandTypeView' });

export const collectorView = z
  .object({ type: z.string(), summary: z.string(), configSchema: jsonObject.describe('JSON Schema') })
  .meta({ id: 'CollectorView' });
