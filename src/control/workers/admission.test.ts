import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TokenRow } from '../../store/index.js';
import { HelloSchema } from '../../workers/gen/otto/worker/v1/worker_pb.js';
import {
  addAttempt,
  addRun,
  addWorker,
  startTestControl,
  type TestControl,
  testActor,
} from '../testing/index.js';
import { admit } from './admission.js';

let control: TestControl;
let token: TokenRow;
let other: TokenRow;

beforeAll(async () => {
  control = await startTestControl();
  const issue = async (name: string) =>
    (await control.tokens.issue({ name, role: 'worker' }, testActor)).row as TokenRow;
  token = await issue('one');
  other = await issue('two');
});
afterAll(async () => {
  await control?.stop();
});

function hello(
  workerId: string,
  leaseEpoch: number,
  more: { attemptIds?: string[]; cloneIds?: string[] } = {},
) {
  return create(HelloSchema, {
    protocol: 1,
    workerId,
    kind: 'primary',
    name: workerId,
    version: '0',
    leaseEpoch: BigInt(leaseEpoch),
    infoJson: '{"pid":1}',
    ...more,
  });
}

const admitted = (message: ReturnType<typeof hello>, as = token) =>
  admit(control.db, { hello: message, token: as, controlPlaneId: control.id });
const attemptState = async (id: string) =>
  (await control.db.selectFrom('attempts').select('state').where('id', '=', id).executeTakeFirstOrThrow())
    .state;

describe('a worker that says hello', () => {
  it('for the first time gets its first lease', async () => {
    expect(await admitted(hello('wrk_new', 0))).toEqual({
      workerId: 'wrk_new',
      leaseEpoch: 1,
      dropAttempts: [],
      dropClones: [],
    });
  });

  it('again with the lease that it holds keeps it, and what it has in hand', async () => {
    const id = await addWorker(control.db, { lease_epoch: 3 });
    const attempt = await addAttempt(control.db, await addRun(control.db), id, { leaseEpoch: 3 });
    const answer = await admitted(hello(id, 3, { attemptIds: [attempt, 'run_x/a/1'] }));
    expect(answer).toMatchObject({ leaseEpoch: 3, dropAttempts: ['run_x/a/1'] });
    expect(await attemptState(attempt)).toBe('RUNNING');
  });

  it.each([0, 2])(
    'with lease %d where the third is current gets a fourth; what it had in hand is lost',
    async (epoch) => {
      const id = await addWorker(control.db, { lease_epoch: 3 });
      const attempt = await addAttempt(control.db, await addRun(control.db), id, { leaseEpoch: 3 });
      const answer = await admitted(hello(id, epoch, { attemptIds: [attempt] }));
      expect(answer).toMatchObject({ leaseEpoch: 4, dropAttempts: [attempt] });
      expect(await attemptState(attempt)).toBe('LOST');
    },
  );

  it('after it was given up is a newcomer, even with the latest lease', async () => {
    const id = await addWorker(control.db, { lease_epoch: 3, state: 'LOST' });
    expect((await admitted(hello(id, 3))).leaseEpoch).toBe(4);
  });

  it('after it was stopped on purpose is refused', async () => {
    const id = await addWorker(control.db, { how: 'local', state: 'STOPPED' });
    await expect(admitted(hello(id, 1))).rejects.toMatchObject({ code: 'WORKER_STOPPED' });
  });

  it('in the name of another with another token is refused', async () => {
    const id = await addWorker(control.db, { how: 'local', token_id: token.id });
    await expect(admitted(hello(id, 1), other)).rejects.toMatchObject({ code: 'WORKER_ID_TAKEN' });
    expect((await admitted(hello(id, 1), token)).leaseEpoch).toBe(1);
  });

  it('is told which clones nobody wants', async () => {
    const id = await addWorker(control.db);
    await control.db
      .insertInto('clones')
      .values([
        { id: 'cln_a', worker_id: id, state: 'READY', limits: '{}' },
        { id: 'cln_b', worker_id: id, state: 'LOST', limits: '{}' },
      ])
      .execute();
    const answer = await admitted(hello(id, 1, { cloneIds: ['cln_a', 'cln_b', 'cln_c'] }));
    expect(answer.dropClones).toEqual(['cln_b', 'cln_c']);
  });
});
