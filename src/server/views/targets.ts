import type { z } from 'zod';
import { readHealth } from '../../control/index.js';
import type { ArtifactRow, ChangeRow, Database, TargetRow } from '../../store/index.js';
import type { targetView } from '../schemas/target.js';
import { viewArtifact } from './artifacts.js';
import { viewChange } from './fleet.js';
import { iso, opt } from './page.js';

export type TargetView = z.infer<typeof targetView>;

/** The given targets with their open changes and their latest captures. */
export async function viewTargets(db: Database, rows: TargetRow[]): Promise<TargetView[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const [changes, captures] = await Promise.all([
    db
      .selectFrom('changes')
      .selectAll()
      .where('target_id', 'in', ids)
      .where('state', '=', 'INTENDED')
      .orderBy('created_at')
      .execute(),
    db
      .selectFrom('artifacts')
      .distinctOn('target_id')
      .selectAll()
      .where('target_id', 'in', ids)
      .where('kind', '=', 'workload')
      .where('deleted_at', 'is', null)
      .orderBy('target_id')
      .orderBy('created_at', 'desc')
      .execute(),
  ]);
  return rows.map((row) =>
    viewTarget(
      row,
      changes.filter((change) => change.target_id === row.id),
      captures.find((capture) => capture.target_id === row.id),
    ),
  );
}

export async function viewOneTarget(db: Database, row: TargetRow): Promise<TargetView> {
  return (await viewTargets(db, [row]))[0]!;
}

function viewTarget(row: TargetRow, openChanges: ChangeRow[], lastCapture?: ArtifactRow): TargetView {
  return {
    id: row.id,
    name: row.name,
    production: row.production,
    address: row.address,
    replicaAddress: opt(row.replica_address),
    state: row.state,
    health: readHealth(row),
    checkedAt: iso(row.checked_at),
    createdAt: row.created_at.toISOString(),
    openChanges: openChanges.map(viewChange),
    lastCapture: lastCapture && viewArtifact(lastCapture),
  };
}
