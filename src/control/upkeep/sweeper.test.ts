import { hostname } from 'node:os';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId, silentLogger, systemClock } from '../../base/index.js';
import { addAttempt, addRun, addWorker, startTestControl, type TestControl } from '../testing/index.js';
import { controlPlaneLeaseMs, workerLeaseMs } from '../workers/leases.js';
import { Sweeper } from './sweeper.js';

let control: TestControl;
let monotonic = 0;
let wall = Date.now();
const clock = { ...systemClock, monotonic: () => monotonic, now: () => wall };

/** What the sweeper asked of the engine. */
const asked: string[] = [];
const driven = new Set<string>();
const engine = {
  takeOver: (ids: string[]) => {
    asked.push(...ids.map((id) => `take over ${id}`));
    return Promise.resolve([]);
  },
  isDriven: (id: string, generation: number) => Promise.resolve(driven.has(`${id}/${generation}`)),
  start: (id: string, generation: number) => {
    asked.push(`start ${id}/${generation}`);
    driven.add(`${id}/${generation}`);
    return Promise.resolve();
  },
};

beforeAll(async () => {
  control = await startTestControl();
});
afterAll(async () => {
  await control?.stop();
});
beforeEach(async () => {
  asked.length = 0;
  await control.db.deleteFrom('control_planes').execute();
  await control.db.deleteFrom('runs').execute();
  await control.db.deleteFrom('workers').execute();
});

const sweeper = () => new Sweeper({ db: control.db, engine, self: control.id, clock, logger: silentLogger });

async function addPlane(options: { host?: string; pid?: number; left?: boolean } = {}): Promise<string> {
  const id = newId('cp');
  await control.db
    .insertInto('control_planes')
    .values({
      id,
      host: options.host ?? 'elsewhere',
      pid: options.pid ?? process.pid,
      version: '0',
      address: '{}',
      lease_expires_at: options.left ? sql<Date>`'-infinity'` : sql<Date>`now() + interval '1 day'`,
    })
    .execute();
  return id;
}

const workerState = async (id: string) =>
  (await control.db.selectFrom('workers').select('state').where('id', '=', id).executeTakeFirstOrThrow())
    .state;

describe('the runs of another control plane', () => {
  it('are taken over at once when it left or its process is gone from this machine', async () => {
    const left = await addPlane({ left: true });
    const dead = await addPlane({ host: hostname(), pid: 2 ** 22 + 1 });
    await addPlane({ host: hostname() });
    await sweeper().sweep();
    expect(asked.sort()).toEqual([`take over ${left}`, `take over ${dead}`].sort());
    asked.length = 0;
    await sweeper().sweep();
    expect(asked).toEqual([]);
  });

  it('are taken over when its lease stood still, whatever the wall clocks say', async () => {
    const plane = await addPlane();
    const sweeps = sweeper();
    await sweeps.sweep();
    wall += 86_400_000;
    monotonic += controlPlaneLeaseMs - 1;
    await sweeps.sweep();
    expect(asked).toEqual([]);
    monotonic += 1;
    await sweeps.sweep();
    expect(asked).toEqual([`take over ${plane}`]);
  });
});

describe('a worker', () => {
  it('that renews no longer is lost, with what it had in hand', async () => {
    const worker = await addWorker(control.db);
    const attempt = await addAttempt(control.db, await addRun(control.db), worker);
    const sweeps = sweeper();
    await sweeps.sweep();
    monotonic += workerLeaseMs;
    await sweeps.sweep();
    expect(await workerState(worker)).toBe('LOST');
    const row = await control.db
      .selectFrom('attempts')
      .selectAll()
      .where('id', '=', attempt)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ state: 'LOST', error: { code: 'WORKER_LOST' } });
  });

  it('that renews stays', async () => {
    const worker = await addWorker(control.db);
    const sweeps = sweeper();
    for (let n = 0; n < 4; n += 1) {
      await sweeps.sweep();
      monotonic += workerLeaseMs - 1;
      await control.db
        .updateTable('workers')
        .set({ lease_expires_at: new Date(wall + n) })
        .where('id', '=', worker)
        .execute();
    }
    await sweeps.sweep();
    expect(await workerState(worker)).toBe('READY');
  });
});

describe('a run that nobody drives', () => {
  it('is driven, in a new generation, once', async () => {
    const run = await addRun(control.db, { age: 60_000 });
    const fresh = await addRun(control.db);
    const looked = await addRun(control.db, { age: 60_000 });
    driven.add(`${looked}/0`);
    await sweeper().sweep();
    await sweeper().sweep();
    expect(asked).toEqual([`start ${run}/1`]);
    expect(asked.join()).not.toContain(fresh);
  });
});
