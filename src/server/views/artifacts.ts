import type { z } from 'zod';
import { OttoError } from '../../base/index.js';
import type { ArtifactRow, Database } from '../../store/index.js';
import type { artifactView } from '../schemas/artifact.js';
import { iso, olderThan, opt, pageOf } from './page.js';

export type ArtifactView = z.infer<typeof artifactView>;

export function viewArtifact(row: ArtifactRow): ArtifactView {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    format: row.format,
    bytes: row.bytes,
    rows: opt(row.rows),
    sha256: row.sha256,
    targetId: opt(row.target_id),
    runId: opt(row.run_id),
    command: opt(row.command),
    createdAt: row.created_at.toISOString(),
    expiresAt: iso(row.expires_at),
    summary: summarise(row.manifest),
  };
}

/** The manifest's counts and plain facts, without its structure: what fits in a table's row. */
function summarise(manifest: Record<string, unknown>): Record<string, number | string> {
  const facts: Record<string, number | string> = {};
  const counts = typeof manifest.counts === 'object' && manifest.counts !== null ? manifest.counts : {};
  for (const [name, value] of Object.entries({ ...manifest, ...counts })) {
    if (typeof value === 'number' || (typeof value === 'string' && value.length <= 200)) facts[name] = value;
  }
  for (const stated of ['kind', 'schemaVersion', 'rows', 'bytes', 'sha256']) delete facts[stated];
  return facts;
}

export interface ArtifactFilter {
  kind?: string;
  target?: string;
  run?: string;
  limit: number;
  cursor?: string;
}

export async function listArtifacts(db: Database, filter: ArtifactFilter) {
  let query = db
    .selectFrom('artifacts')
    .selectAll()
    .where('deleted_at', 'is', null)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1);
  if (filter.kind) query = query.where('kind', '=', filter.kind);
  if (filter.target) query = query.where('target_id', '=', filter.target);
  if (filter.run) query = query.where('run_id', '=', filter.run);
  if (filter.cursor) query = query.where(olderThan('artifacts', filter.cursor));
  return pageOf(await query.execute(), filter.limit, viewArtifact);
}

export async function findArtifact(db: Database, id: string): Promise<ArtifactRow> {
  const row = await db
    .selectFrom('artifacts')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  if (!row) throw new OttoError('ARTIFACT_NOT_FOUND', `there is no artifact ${id}`);
  return row;
}
