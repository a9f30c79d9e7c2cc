import type { z } from 'zod';
import { type Database, dbNow } from '../../store/index.js';
import type { controlPlaneView } from '../schemas/fleet.js';

export async function listControlPlanes(
  db: Database,
  self: string,
): Promise<z.infer<typeof controlPlaneView>[]> {
  const rows = await db
    .selectFrom('control_planes')
    .selectAll()
    .where('stopped_at', 'is', null)
    .where('lease_expires_at', '>', dbNow)
    .orderBy('started_at')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    host: row.host,
    pid: row.pid,
    version: row.version,
    startedAt: row.started_at.toISOString(),
    leaseExpiresAt: row.lease_expires_at.toISOString(),
    self: row.id === self,
  }));
}
