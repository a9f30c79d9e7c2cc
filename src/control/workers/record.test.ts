import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../base/index.js';
import { RecordRequestSchema } from '../../workers/gen/otto/worker/v1/worker_pb.js';
import { addAttempt, addRun, addWorker, startTestControl, type TestControl } from '../testing/index.js';
import { record } from './record.js';

let control: TestControl;

beforeAll(async () => {
  control = await startTestControl();
});
afterAll(async () => {
  await control?.stop();
});

/** A run with a target and an attempt under way; `act` is its worker's voice. */
async function setUp() {
  const { db } = control;
  const targetId = newId('tgt');
  await db
    .insertInto('targets')
    .values({ id: targetId, name: targetId, url_secret: 'x', address: '{}' })
    .execute();
  const run = await addRun(db, { targetId });
  const worker = await addWorker(db);
  const attempt = await addAttempt(db, run, worker);
  const act = async (
    action: string,
    body: object,
    more: { leaseEpoch?: number; attemptId?: string } = {},
  ) => {
    const request = create(RecordRequestSchema, {
      workerId: worker,
      leaseEpoch: BigInt(more.leaseEpoch ?? 1),
      attemptId: more.attemptId ?? attempt,
      action,
      bodyJson: JSON.stringify(body),
    });
    return JSON.parse((await record(db, request)).bodyJson) as { changes: { id: string; before: unknown }[] };
  };
  return { db, targetId, run, worker, attempt, act };
}

const change = (ours: string, autoConf: string | null = null) => ({
  changes: [
    {
      server: 'primary',
      setting: 'log_duration',
      before: { autoConf, value: 'off', source: 'default' },
      ours,
    },
  ],
  reason: 'test',
});

describe('what a worker has written down', () => {
  it('is refused under a lease that is no longer the current one', async () => {
    const { act, db, worker } = await setUp();
    await expect(act('intend_changes', change('on'), { leaseEpoch: 0 })).rejects.toMatchObject({
      code: 'LEASE_LOST',
    });
    const rows = await db.selectFrom('changes').selectAll().where('worker_id', '=', worker).execute();
    expect(rows).toEqual([]);
  });

  it('is refused for an attempt that has ended, unless it tidies up', async () => {
    const { act, db, attempt } = await setUp();
    const { id } = (await act('intend_changes', change('on'))).changes[0]!;
    await db.updateTable('attempts').set({ state: 'LOST' }).where('id', '=', attempt).execute();
    await expect(act('intend_changes', change('on'))).rejects.toMatchObject({ code: 'ATTEMPT_ENDED' });
    await act('resolve_change', { id, state: 'RESTORED' });
    const row = await db.selectFrom('changes').select('state').where('id', '=', id).executeTakeFirstOrThrow();
    expect(row.state).toBe('RESTORED');
  });

  it('said twice is one intention, with the state before the first', async () => {
    const { act } = await setUp();
    const first = await act('intend_changes', change('on', 'theirs'));
    const second = await act('intend_changes', change('on', 'on'));
    expect(second.changes).toHaveLength(1);
    expect(second.changes[0]!.id).toBe(first.changes[0]!.id);
    expect(second.changes[0]!.before).toMatchObject({ autoConf: 'theirs' });
  });

  it('does not take a setting that another run has not put back', async () => {
    const { act, db, targetId } = await setUp();
    await act('intend_changes', change('on'));
    const run = await addRun(db, { targetId });
    const worker = await addWorker(db);
    const attempt = await addAttempt(db, run, worker);
    const request = create(RecordRequestSchema, {
      workerId: worker,
      leaseEpoch: 1n,
      attemptId: attempt,
      action: 'intend_changes',
      bodyJson: JSON.stringify(change('on')),
    });
    await expect(record(db, request)).rejects.toMatchObject({ code: 'CHANGE_OPEN' });
  });

  it('of a clone may be repeated when its answer was lost', async () => {
    const { act, db } = await setUp();
    const id = newId('cln');
    const ready = { id, method: 'empty', connection: { host: 'x' }, version: '18', bytes: 1, seconds: 1 };
    for (let n = 0; n < 2; n += 1) await act('clone_started', { id, keep: false, limits: {} });
    for (let n = 0; n < 2; n += 1) await act('clone_ready', ready);
    const state = async () =>
      (await db.selectFrom('clones').select('state').where('id', '=', id).executeTakeFirstOrThrow()).state;
    expect(await state()).toBe('READY');
    for (let n = 0; n < 2; n += 1) await act('clone_stopped', { id });
    expect(await state()).toBe('STOPPED');
    await expect(act('clone_ready', ready)).rejects.toMatchObject({ code: 'CLONE_NOT_WANTED' });
  });

  it('must be something that is known', async () => {
    const { act } = await setUp();
    await expect(act('drop_database', {})).rejects.toMatchObject({ code: 'PROTOCOL' });
  });
});
