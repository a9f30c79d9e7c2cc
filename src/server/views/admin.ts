import type { z } from 'zod';
import type { AuditRow, ScheduleRow, TokenRow } from '../../store/index.js';
import type { auditView, scheduleView, tokenView } from '../schemas/admin.js';
import { iso, opt } from './page.js';

export function viewToken(row: TokenRow): z.infer<typeof tokenView> {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    expiresAt: iso(row.expires_at),
    lastUsedAt: iso(row.last_used_at),
    revokedAt: iso(row.revoked_at),
  };
}

export function viewAudit(row: AuditRow): z.infer<typeof auditView> {
  return {
    id: row.id,
    at: row.at.toISOString(),
    actor: row.actor,
    role: row.role,
    action: row.action,
    subject: row.subject,
    detail: row.detail,
    outcome: row.outcome,
  };
}

export function viewSchedule(row: ScheduleRow): z.infer<typeof scheduleView> {
  return {
    id: row.id,
    name: row.name,
    cron: row.cron,
    timeZone: row.time_zone,
    enabled: row.enabled,
    overlap: row.overlap,
    nextAt: iso(row.next_at),
    lastAt: iso(row.last_at),
    lastRunId: opt(row.last_run_id),
    lastNote: opt(row.last_note),
    document: row.document,
    parameters: row.parameters,
    targetId: opt(row.target_id),
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
  };
}
