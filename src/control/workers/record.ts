import { create } from '@bufbuild/protobuf';
import { sql, type Transaction } from 'kysely';
import { newId, OttoError } from '../../base/index.js';
import { type Database, json, type Tables } from '../../store/index.js';
import {
  type RecordAction,
  type RecordActions,
  type RecordRequest,
  type RecordResponse,
  RecordResponseSchema,
} from '../../workers/index.js';

/** What an action may know of who asks. */
interface Asker {
  tx: Transaction<Tables>;
  workerId: string;
  runId: string | null;
  command: string | null;
  targetId: string | null;
}

type Handler<A extends RecordAction> = (
  asker: Asker,
  body: RecordActions[A]['request'],
) => Promise<RecordActions[A]['response']>;

const handlers: { [A in RecordAction]: Handler<A> } = {
  async intend_changes(asker, { changes, reason }) {
    if (!asker.targetId) throw new OttoError('NO_TARGET', 'a run without a target changes no settings');
    const rows = [];
    for (const change of changes) {
      const row = await asker.tx
        .insertInto('changes')
        .values({
          id: newId('chg'),
          target_id: asker.targetId,
          server: change.server,
          setting: change.setting,
          before: json(change.before),
          ours: change.ours,
          reason,
          run_id: asker.runId,
          command: asker.command,
          worker_id: asker.workerId,
        })
        // The same command again (its first answer was lost on the way) finds its own row, with the true `before`.
        .onConflict((conflict) =>
          conflict
            .columns(['target_id', 'server', 'setting'])
            .where('state', '=', 'INTENDED')
            .doUpdateSet({ worker_id: asker.workerId, ours: change.ours })
            .where('changes.run_id', '=', asker.runId)
            .where('changes.command', '=', asker.command),
        )
        .returning(['id', 'before'])
        .executeTakeFirst();
      if (!row) {
        throw new OttoError(
          'CHANGE_OPEN',
          `${change.setting} of this target is already changed by a run that has not put it back`,
          {
            hint: 'Wait for that run to end; what an ended run left is put back by itself, or with: otto db restore.',
            transient: true,
          },
        );
      }
      rows.push({ ...change, id: row.id, before: row.before });
    }
    return { changes: rows };
  },

  async resolve_change({ tx }, { id, state, note }) {
    await tx
      .updateTable('changes')
      .set({ state, note: note ?? null, resolved_at: sql<Date>`now()` })
      .where('id', '=', id)
      .where('state', '=', 'INTENDED')
      .execute();
    return {};
  },

  async clone_started(asker, clone) {
    const values = {
      run_id: asker.runId,
      command: asker.command,
      worker_id: asker.workerId,
      target_id: asker.targetId,
      method: clone.method ?? null,
      source: clone.source ?? null,
      state: 'STARTING' as const,
      keep: clone.keep,
      limits: json(clone.limits),
      expires_at: clone.expiresAt === undefined ? null : new Date(clone.expiresAt),
      stopped_at: null,
      note: null,
    };
    await asker.tx
      .insertInto('clones')
      .values({ id: clone.id, ...values })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
      .execute();
    return {};
  },

  async clone_ready({ tx, workerId }, clone) {
    const row = await tx
      .updateTable('clones')
      .set({
        state: 'READY',
        method: clone.method,
        connection: json(clone.connection),
        version: clone.version,
        lsn: clone.lsn ?? null,
        bytes: clone.bytes,
        seconds: clone.seconds,
      })
      .where('id', '=', clone.id)
      .where('worker_id', '=', workerId)
      // READY: the same call again, whose first answer was lost.
      .where('state', 'in', ['STARTING', 'READY'])
      .returning('id')
      .executeTakeFirst();
    if (!row) throw new OttoError('CLONE_NOT_WANTED', `clone ${clone.id} is no longer wanted`);
    return {};
  },

  async clone_stopped({ tx, workerId }, { id, note }) {
    await tx
      .updateTable('clones')
      .set({ state: 'STOPPED', stopped_at: sql<Date>`now()`, note: note ?? null })
      .where('id', '=', id)
      .where('worker_id', '=', workerId)
      .where('state', '<>', 'STOPPED')
      .execute();
    return {};
  },
};

/** These change what the target or a run sees, so they need a live attempt; the others only tidy up. */
const needAttempt: readonly RecordAction[] = ['intend_changes', 'clone_started', 'clone_ready'];

/** Carries out one action of a worker, if its lease is still the current one. Durable when it resolves. */
export async function record(db: Database, request: RecordRequest): Promise<RecordResponse> {
  const action = request.action as RecordAction;
  const handler = handlers[action] as Handler<RecordAction> | undefined;
  if (!handler) throw new OttoError('PROTOCOL', `"${request.action}" is not an action`);
  const body = await db.transaction().execute(async (tx) => {
    const worker = await tx
      .selectFrom('workers')
      .select(['id', 'lease_epoch', 'state'])
      .where('id', '=', request.workerId)
      .forShare()
      .executeTakeFirst();
    if (!worker || worker.lease_epoch !== Number(request.leaseEpoch)) {
      throw new OttoError('LEASE_LOST', `the lease of worker ${request.workerId} is no longer valid`);
    }
    const attempt = await tx
      .selectFrom('attempts')
      .innerJoin('runs', 'runs.id', 'attempts.run_id')
      .select(['attempts.run_id', 'attempts.command', 'attempts.state', 'runs.target_id'])
      .where('attempts.id', '=', request.attemptId)
      .where('attempts.worker_id', '=', request.workerId)
      .executeTakeFirst();
    const live = attempt?.state === 'ASSIGNED' || attempt?.state === 'RUNNING';
    if (needAttempt.includes(action) && !live) {
      throw new OttoError('ATTEMPT_ENDED', `attempt ${request.attemptId} has ended: ${action} is refused`);
    }
    const asker: Asker = {
      tx,
      workerId: worker.id,
      runId: attempt?.run_id ?? null,
      command: attempt?.command ?? null,
      targetId: attempt?.target_id ?? null,
    };
    return await handler(asker, JSON.parse(request.bodyJson) as never);
  });
  return create(RecordResponseSchema, { bodyJson: JSON.stringify(body) });
}
