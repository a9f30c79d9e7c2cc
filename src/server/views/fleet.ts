import type { z } from 'zod';
import { OttoError } from '../../base/index.js';
import type { ChangeRow, ChangeState, CloneRow, Database, WorkerRow } from '../../store/index.js';
import { type changeView, type cloneView, workerInfo, type workerView } from '../schemas/fleet.js';
import { iso, olderThan, opt, pageOf } from './page.js';

export type ChangeView = z.infer<typeof changeView>;
export type CloneView = z.infer<typeof cloneView>;
export type WorkerView = z.infer<typeof workerView>;

export function viewChange(row: ChangeRow): ChangeView {
  return {
    id: row.id,
    targetId: row.target_id,
    server: row.server,
    setting: row.setting,
    before: row.before,
    ours: row.ours,
    state: row.state,
    reason: row.reason,
    runId: opt(row.run_id),
    command: opt(row.command),
    note: opt(row.note),
    createdAt: row.created_at.toISOString(),
    resolvedAt: iso(row.resolved_at),
  };
}

export function viewClone(row: CloneRow): CloneView {
  return {
    id: row.id,
    runId: opt(row.run_id),
    command: opt(row.command),
    workerId: row.worker_id,
    targetId: opt(row.target_id),
    method: opt(row.method),
    source: opt(row.source),
    state: row.state,
    connection: opt(row.connection),
    version: opt(row.version),
    lsn: opt(row.lsn),
    bytes: opt(row.bytes),
    seconds: opt(row.seconds),
    expiresAt: iso(row.expires_at),
    createdAt: row.created_at.toISOString(),
    stoppedAt: iso(row.stopped_at),
    note: opt(row.note),
  };
}

function viewWorker(row: WorkerRow, running: WorkerView['running'] = []): WorkerView {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    how: row.how,
    state: row.state,
    targetId: opt(row.target_id),
    runId: opt(row.run_id),
    leaseEpoch: row.lease_epoch,
    leaseExpiresAt: iso(row.lease_expires_at),
    controlPlaneId: opt(row.control_plane_id),
    // Said by the worker: what makes no sense must not cost the whole list.
    info: workerInfo.safeParse(row.info).data ?? {},
    note: opt(row.note),
    createdAt: row.created_at.toISOString(),
    attachedAt: iso(row.attached_at),
    stoppedAt: iso(row.stopped_at),
    running,
  };
}

interface Page {
  limit: number;
  cursor?: string;
}

export async function listChanges(db: Database, filter: Page & { state?: ChangeState; target?: string }) {
  let query = db
    .selectFrom('changes')
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1);
  if (filter.state) query = query.where('state', '=', filter.state);
  if (filter.target) query = query.where('target_id', '=', filter.target);
  if (filter.cursor) query = query.where(olderThan('changes', filter.cursor));
  return pageOf(await query.execute(), filter.limit, viewChange);
}

export async function listClones(db: Database, filter: Page) {
  let query = db
    .selectFrom('clones')
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1);
  if (filter.cursor) query = query.where(olderThan('clones', filter.cursor));
  return pageOf(await query.execute(), filter.limit, viewClone);
}

export async function listWorkers(db: Database, filter: Page) {
  let query = db
    .selectFrom('workers')
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1);
  if (filter.cursor) query = query.where(olderThan('workers', filter.cursor));
  const rows = await query.execute();
  const running = await openAttempts(
    db,
    rows.map((row) => row.id),
  );
  return pageOf(rows, filter.limit, (row) => viewWorker(row, running.get(row.id)));
}

export async function readClone(db: Database, id: string): Promise<CloneView> {
  const row = await db.selectFrom('clones').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new OttoError('CLONE_NOT_FOUND', `there is no clone ${id}`);
  return viewClone(row);
}

export async function readWorker(db: Database, id: string): Promise<WorkerView> {
  const row = await db.selectFrom('workers').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new OttoError('WORKER_NOT_FOUND', `there is no worker ${id}`);
  return viewWorker(row, (await openAttempts(db, [id])).get(id));
}

/** What the given workers are carrying out. */
async function openAttempts(db: Database, ids: string[]): Promise<Map<string, WorkerView['running']>> {
  const running = new Map<string, WorkerView['running']>();
  if (ids.length === 0) return running;
  const rows = await db
    .selectFrom('attempts')
    .select(['worker_id', 'run_id', 'command'])
    .where('state', 'in', ['ASSIGNED', 'RUNNING'])
    .where('worker_id', 'in', ids)
    .orderBy('created_at')
    .execute();
  for (const { worker_id, run_id, command } of rows) {
    running.set(worker_id!, [...(running.get(worker_id!) ?? []), { runId: run_id, command }]);
  }
  return running;
}
