import { z } from 'zod';
import { artifactView, seriesView, templateView } from './artifact.js';
import { time } from './common.js';
import { changeView } from './fleet.js';

const address = z
  .object({ host: z.string(), port: z.number(), database: z.string(), user: z.string() })
  .meta({ id: 'Address' });

const targetHealth = z
  .object({
    version: z.string().optional(),
    major: z.number().optional(),
    isStandby: z.boolean().optional(),
    sizeBytes: z.number().optional(),
    connections: z.number().optional(),
    maxConnections: z.number().optional(),
    replicationLagBytes: z.number().optional(),
    loggingCollector: z.boolean().optional(),
    captureMethods: z
      .array(
        z.object({
          method: z.string(),
          possible: z.boolean(),
          why: z.string(),
          hint: z.string().optional(),
        }),
      )
      .optional(),
    replica: z
      .object({
        version: z.string().optional(),
        isStandby: z.boolean().optional(),
        ofThisPrimary: z.boolean().optional().describe('Its system identifier is the primary’s'),
        lagBytes: z.number().optional(),
        lagMs: z.number().optional(),
        error: z.string().optional(),
      })
      .optional(),
    warnings: z.array(z.string()).optional(),
    error: z.string().optional(),
    hint: z.string().optional(),
  })
  .meta({ id: 'TargetHealth' });

export const targetView = z
  .object({
    id: z.string(),
    name: z.string(),
    production: z.boolean(),
    address,
    replicaAddress: address.optional(),
    state: z.enum(['UNKNOWN', 'HEALTHY', 'UNHEALTHY']),
    health: targetHealth.optional(),
    checkedAt: time.optional(),
    createdAt: time,
    openChanges: z.array(changeView),
    lastCapture: artifactView.optional(),
  })
  .meta({ id: 'TargetView' });

export const newTarget = z.strictObject({
  name: z.string().min(1).max(63),
  url: z.string().min(1).max(4096).describe('postgresql://user:password@host:port/database'),
  replicaUrl: z.string().min(1).max(4096).optional(),
  production: z.boolean().default(true).describe('A production target is never replayed against'),
});

export const targetWorkload = z
  .object({
    captures: z.array(artifactView),
    latest: z
      .object({ artifactId: z.string(), templates: z.array(templateView), series: seriesView })
      .optional(),
  })
  .meta({ id: 'TargetWorkload' });

export const settingView = z
  .object({
    name: z.string(),
    value: z.string().nullable(),
    unit: z.string().optional(),
    source: z.string(),
    context: z.string(),
    pendingRestart: z.boolean(),
    description: z.string(),
    category: z.string(),
  })
  .meta({ id: 'SettingView' });
