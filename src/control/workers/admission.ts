import { sql } from 'kysely';
import { OttoError } from '../../base/index.js';
import { type Database, json, type TokenRow, type WorkerKind, type WorkerRow } from '../../store/index.js';
import type { Hello } from '../../workers/index.js';
import { workerLeaseMs } from './leases.js';

export interface Admission {
  workerId: string;
  leaseEpoch: number;
  /** What the worker still has in hand and nobody wants. */
  dropAttempts: string[];
  dropClones: string[];
}

/**
 * Decides what a worker that says hello is: one that kept its lease while its connection (or this control plane) was
 * away and goes on, or a newcomer to whom a new lease is given. In the second case whatever it began under an older
 * lease is lost.
 */
export async function admit(
  db: Database,
  request: { hello: Hello; token: TokenRow; controlPlaneId: string },
): Promise<Admission> {
  const { hello, token } = request;
  const kind = kindOf(hello.kind);
  return await db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('workers')
      .selectAll()
      .where('id', '=', hello.workerId)
      .forUpdate()
      .executeTakeFirst();
    if (row) refuse(row, token);
    const keeps =
      row !== undefined && Number(hello.leaseEpoch) === row.lease_epoch && row.lease_epoch > 0 && isHeld(row);
    const leaseEpoch = keeps ? row.lease_epoch : (row?.lease_epoch ?? 0) + 1;
    if (row) {
      await tx
        .updateTable('workers')
        .set({
          state: row.state === 'DRAINING' ? 'DRAINING' : 'READY',
          lease_epoch: leaseEpoch,
          lease_expires_at: sql<Date>`now() + ${workerLeaseMs} * interval '1 ms'`,
          control_plane_id: request.controlPlaneId,
          info: hello.infoJson === '' ? '{}' : hello.infoJson,
          attached_at: sql<Date>`now()`,
          token_id: token.id,
          note: null,
        })
        .where('id', '=', row.id)
        .execute();
    } else {
      await tx
        .insertInto('workers')
        .values({
          id: hello.workerId,
          kind,
          name: hello.name,
          how: 'manual',
          state: 'READY',
          token_id: token.id,
          lease_epoch: leaseEpoch,
          lease_expires_at: sql<Date>`now() + ${workerLeaseMs} * interval '1 ms'`,
          control_plane_id: request.controlPlaneId,
          info: hello.infoJson === '' ? '{}' : hello.infoJson,
          launch: '{}',
          attached_at: sql<Date>`now()`,
        })
        .execute();
    }
    if (!keeps) {
      await tx
        .updateTable('attempts')
        .set({
          state: 'LOST',
          error: json({
            code: 'WORKER_RESTARTED',
            message: `worker ${hello.name} was started again while it carried this out`,
          }),
          ended_at: sql<Date>`now()`,
        })
        .where('worker_id', '=', hello.workerId)
        .where('state', 'in', ['ASSIGNED', 'RUNNING'])
        .execute();
    }
    const wanted = await tx
      .selectFrom('attempts')
      .select('id')
      .where('worker_id', '=', hello.workerId)
      .where('lease_epoch', '=', leaseEpoch)
      .where('state', 'in', ['ASSIGNED', 'RUNNING'])
      .execute();
    const clones = await tx
      .selectFrom('clones')
      .select('id')
      .where('worker_id', '=', hello.workerId)
      .where('state', 'in', ['STARTING', 'READY'])
      .execute();
    const wantedAttempts = new Set(wanted.map((attempt) => attempt.id));
    const wantedClones = new Set(clones.map((clone) => clone.id));
    return {
      workerId: hello.workerId,
      leaseEpoch,
      dropAttempts: hello.attemptIds.filter((id) => !wantedAttempts.has(id)),
      dropClones: hello.cloneIds.filter((id) => !wantedClones.has(id)),
    };
  });
}

function refuse(row: WorkerRow, token: TokenRow): void {
  if (row.token_id !== null && row.token_id !== token.id && row.how !== 'manual') {
    throw new OttoError('WORKER_ID_TAKEN', `worker ${row.id} belongs to another token`, {
      hint: 'Give this worker a root folder of its own.',
    });
  }
  if (row.state === 'STOPPED' && row.how !== 'manual') {
    throw new OttoError('WORKER_STOPPED', `worker ${row.id} was stopped: ${row.note ?? 'its run has ended'}`);
  }
}

function isHeld(row: WorkerRow): boolean {
  return row.state === 'STARTING' || row.state === 'READY' || row.state === 'DRAINING';
}

function kindOf(text: string): WorkerKind {
  if (text === 'primary' || text === 'exploratory') return text;
  throw new OttoError('WORKER_KIND', `"${text}" is not a kind of worker`, {
    hint: 'Known: primary, exploratory.',
  });
}
