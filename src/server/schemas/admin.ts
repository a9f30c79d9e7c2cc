import { z } from 'zod';
import { jsonObject, time } from './common.js';
import { changeView } from './fleet.js';
import { documentInput, runSummary } from './run.js';
import { targetView } from './target.js';

const role = z.enum(['viewer', 'operator', 'admin', 'worker']);

export const sessionView = z
  .object({ actor: z.string(), role, open: z.boolean().describe('No token is asked for (demo)') })
  .meta({ id: 'SessionView' });

export const healthView = z
  .object({ status: z.enum(['ok', 'degraded']), version: z.string(), database: z.enum(['up', 'down']) })
  .meta({ id: 'HealthView' });

export const tokenView = z
  .object({
    id: z.string(),
    name: z.string(),
    role,
    createdBy: z.string(),
    createdAt: time,
    expiresAt: time.optional(),
    lastUsedAt: time.optional(),
    revokedAt: time.optional(),
  })
  .meta({ id: 'TokenView' });

export const newToken = z.strictObject({
  name: z.string().min(1).max(100),
  role,
  expiresInDays: z.number().positive().max(3650).optional(),
});

export const issuedToken = tokenView
  .extend({ token: z.string().describe('Shown this once') })
  .meta({ id: 'IssuedToken' });

export const auditView = z
  .object({
    id: z.number(),
    at: time,
    actor: z.string(),
    role: z.string(),
    action: z.string(),
    subject: z.string(),
    detail: jsonObject,
    outcome: z.enum(['done', 'refused', 'failed']),
  })
  .meta({ id: 'AuditView' });

const overlap = z.enum(['skip', 'allow']).describe('When the previous run has not ended');

export const scheduleView = z
  .object({
    id: z.string(),
    name: z.string(),
    cron: z.string(),
    timeZone: z.string(),
    enabled: z.boolean(),
    overlap,
    nextAt: time.optional(),
    lastAt: time.optional(),
    lastRunId: z.string().optional(),
    lastNote: z.string().optional(),
    document: z.unknown(),
    parameters: jsonObject,
    targetId: z.string().optional(),
    createdBy: z.string(),
    createdAt: time,
  })
  .meta({ id: 'ScheduleView' });

const scheduleFields = {
  name: z.string().min(1).max(100),
  cron: z.string().min(1).max(200).describe('Five or six cron fields'),
  timeZone: z.string().max(100).optional().describe('IANA name; UTC when absent'),
  document: documentInput,
  parameters: jsonObject.optional(),
  target: z.string().max(100).optional().describe('Id or name'),
  overlap: overlap.optional(),
};

export const newSchedule = z.strictObject(scheduleFields);
export const schedulePatch = z.strictObject({ ...scheduleFields, enabled: z.boolean() }).partial();

export const overview = z
  .object({
    targets: z.array(targetView),
    runs: z.object({ running: z.number(), failed24h: z.number(), succeeded24h: z.number() }),
    workers: z.object({ ready: z.number(), lost: z.number() }),
    clones: z.object({ running: z.number() }),
    openChanges: z.array(changeView),
    recentRuns: z.array(runSummary),
  })
  .meta({ id: 'Overview' });
