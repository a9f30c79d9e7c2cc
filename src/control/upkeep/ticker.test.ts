import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger, systemClock } from '../../base/index.js';
import { startTestControl, type TestControl, testActor } from '../testing/index.js';
import { Ticker } from './ticker.js';

let control: TestControl;
const document = { name: 'nightly', commands: ['a'] };
/** A year ahead: everything is due. */
const late = { ...systemClock, now: () => Date.now() + 366 * 86_400_000 };

beforeAll(async () => {
  control = await startTestControl();
});
afterAll(async () => {
  await control?.stop();
});
beforeEach(async () => {
  await control.db.deleteFrom('schedules').execute();
  await control.db.deleteFrom('runs').execute();
});

/** Lets the chores run until the schedule has been fired for, or tried to. */
async function fire(id: string) {
  const nothing = () => Promise.resolve([]);
  const ticker = new Ticker({
    control,
    cleaner: {
      restoreLeftovers: nothing,
      tendWorkers: () => Promise.resolve(),
    } as never,
    presence: { renew: () => Promise.resolve(true) } as never,
    sweeper: { sweep: () => Promise.resolve() } as never,
    clock: late,
    logger: silentLogger,
  });
  const before = await control.schedules.find(id);
  ticker.start();
  try {
    await expect
      .poll(
        async () => {
          const row = await control.schedules.find(id);
          return row.last_run_id !== before.last_run_id || row.last_note !== before.last_note;
        },
        { timeout: 10_000 },
      )
      .toBe(true);
  } finally {
    await ticker.stop();
  }
  return await control.schedules.find(id);
}

const add = (more: object = {}) =>
  control.schedules.add({ name: 'n', cron: '0 3 * * *', document, ...more }, testActor);
const runs = () => control.db.selectFrom('runs').selectAll().execute();

describe('a schedule that is due', () => {
  it('starts a run in its name', async () => {
    const { id } = await add();
    const row = await fire(id);
    const [run, ...more] = await runs();
    expect(more).toEqual([]);
    expect(row.last_run_id).toBe(run!.id);
    expect(run!.created_by).toBe('schedule n');
    expect(row.next_at!.getTime()).toBeGreaterThan(late.now() - 1_000);
  });

  it('skips, and says so, while its last run goes on', async () => {
    const { id } = await add({ overlap: 'skip' });
    const last = await control.runs.submit({ document }, testActor);
    await control.schedules.fired(id, { runId: last });
    expect((await fire(id)).last_note).toBe(`skipped: run ${last} has not ended`);
    expect(await runs()).toHaveLength(1);
  });

  it('starts the next when its last run has ended, or where overlap is allowed', async () => {
    const { id } = await add({ overlap: 'allow' });
    const last = await control.runs.submit({ document }, testActor);
    await control.schedules.fired(id, { runId: last });
    expect((await fire(id)).last_run_id).not.toBe(last);
    expect(await runs()).toHaveLength(2);
  });

  it('says why it could not', async () => {
    const { id } = await add();
    await control.db
      .updateTable('schedules')
      .set({ document: JSON.stringify({ broken: true }) })
      .where('id', '=', id)
      .execute();
    expect((await fire(id)).last_note).toMatch(/^failed: /);
    expect(await runs()).toEqual([]);
  });
});
