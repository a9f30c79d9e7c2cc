import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newId, silentLogger, systemClock } from '../../base/index.js';
import { startTestPostgres, type TestPostgres } from '../../postgres/testing/index.js';
import { type Database, json, migrate, openDatabase, openPool } from '../../store/index.js';
import { CommandTypes, defineCommandType } from '../command-type.js';
import { validateDag } from '../validate.js';
import { Deadlines } from './deadlines.js';
import type { Dispatcher } from './dispatcher.js';
import { RunDriver } from './run-driver.js';

let server: TestPostgres;
let db: Database;
/** How far the wall clock is off by now. */
let off = 0;
const clock = { ...systemClock, now: () => Date.now() + off };

beforeAll(async () => {
  server = await startTestPostgres();
  const pool = openPool(server.url);
  await migrate(pool);
  db = openDatabase(pool);
});
afterAll(async () => {
  await db?.destroy();
  await server?.stop();
});

describe('a limit', () => {
  it('passes by the monotonic clock, however the wall clock jumps', () => {
    let monotonic = 0;
    let wall = 1_000_000;
    const deadlines = new Deadlines({ ...systemClock, monotonic: () => monotonic, now: () => wall });
    const at = new Date(wall + 10_000);
    expect(deadlines.leftMs('a', at)).toBe(10_000);
    wall += 86_400_000;
    monotonic += 4_000;
    expect(deadlines.leftMs('a', at)).toBe(6_000);
    wall -= 2 * 86_400_000;
    monotonic += 7_000;
    expect(deadlines.leftMs('a', at)).toBe(-1_000);
  });

  it('that is set anew counts anew', () => {
    const deadlines = new Deadlines({ ...systemClock, monotonic: () => 0, now: () => 0 });
    expect(deadlines.leftMs('a', new Date(5))).toBe(5);
    expect(deadlines.leftMs('a', new Date(50))).toBe(50);
    expect(deadlines.leftMs('b', new Date(7))).toBe(7);
  });
});

describe('a run under a clock that jumps', () => {
  it.each([
    ['a day ahead', 86_400_000],
    ['a day back', -86_400_000],
  ])('%s: no limit is over for that, neither the run’s nor a command’s', async (_, jumpMs) => {
    off = 0;
    const { driver, runId, release } = await start();
    expect(await driver.round()).toBe(false);
    off = jumpMs;
    driver.wake.now();
    expect(await driver.round()).toBe(false);
    const state = async () =>
      (await db.selectFrom('commands').select('state').where('run_id', '=', runId).executeTakeFirstOrThrow())
        .state;
    expect(await state()).toBe('RUNNING');
    release();
    while (!(await driver.round())) {
      // Until it has ended.
    }
    expect(await state()).toBe('SUCCEEDED');
    const run = await db.selectFrom('runs').select('state').where('id', '=', runId).executeTakeFirstOrThrow();
    expect(run.state).toBe('SUCCEEDED');
  });

  it('that waits before another try waits no longer for it', async () => {
    off = 0;
    const { driver, runId } = await start({ fails: 1 });
    const ended = (async () => {
      while (!(await driver.round())) off = -86_400_000;
    })();
    await ended;
    const attempts = await db.selectFrom('attempts').select('state').where('run_id', '=', runId).execute();
    expect(attempts.map(({ state }) => state).sort()).toEqual(['FAILED', 'SUCCEEDED']);
  });
});

/** A run of one command that the test lets go, or that fails so often first. */
async function start(options: { fails?: number } = {}) {
  let release = (): void => {};
  let failures = 0;
  const hold = defineCommandType({
    type: 'HOLD',
    summary: 'Waits until it is let go.',
    place: 'control',
    config: z.strictObject({}),
    output: z.object({}),
    defaultTimeoutMs: 60_000,
    onWorkerLost: 'retry',
  });
  const types = new CommandTypes([hold]);
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const dispatcher: Dispatcher = {
    place: () => Promise.resolve({ wait: 'never' }),
    async carryOut() {
      if (options.fails === undefined) await held;
      else if (failures < options.fails) {
        failures += 1;
        throw new Error('not yet');
      }
      return {};
    },
    beforeRetry: () => Promise.resolve(),
    isAlive: () => Promise.resolve(true),
    finalise: () => Promise.resolve([]),
  };
  const document = {
    name: 'jump',
    version: '1',
    timeout: '60s',
    commands: [
      {
        command_name: 'a',
        command_type: 'HOLD',
        parent_command_names: [],
        config: {},
        retry: { attempts: 2, backoff: '50ms' },
      },
    ],
  };
  const { dag, issues } = validateDag(document, types);
  expect(issues).toEqual([]);
  const runId = newId('run');
  await db
    .insertInto('runs')
    .values({
      id: runId,
      name: 'jump',
      dag: json(dag),
      document: json(document),
      parameters: '{}',
      created_by: 'test',
      deadline_at: new Date(Date.now() + 60_000),
    })
    .execute();
  await db
    .insertInto('commands')
    .values({ run_id: runId, name: 'a', ordinal: 0, type: 'HOLD', parents: [] })
    .execute();
  const driver = new RunDriver(runId, {
    db,
    types,
    dispatcher,
    owner: 'cp_test',
    clock,
    logger: silentLogger,
  });
  await driver.open();
  return { driver, runId, release };
}
