import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CommandTypes, defineCommandType } from '../../dag/index.js';
import { addWorker, startTestControl, type TestControl, testActor } from '../testing/index.js';
import { Runs } from './run-service.js';

let control: TestControl;
let runs: Runs;
/** What the engine was to start, and which commands' products are still there. */
const started: string[] = [];
const alive = new Set<string>();

const plain = (type: string, makes?: 'worker' | 'clone') =>
  defineCommandType({
    type,
    summary: type,
    place: 'control',
    config: z.strictObject({ n: z.number().default(0) }),
    output: z.object({}),
    defaultTimeoutMs: 1_000,
    onWorkerLost: 'retry',
    ...(makes && { makes }),
  });

beforeAll(async () => {
  control = await startTestControl();
  runs = new Runs({
    db: control.db,
    engine: {
      start: (id, generation) => {
        started.push(`${id}/${generation}`);
        return Promise.resolve();
      },
    },
    dispatcher: { isAlive: (_run, command) => Promise.resolve(alive.has(command.name)) },
    types: new CommandTypes([plain('DO'), plain('MAKE', 'worker')]),
    targets: control.targets,
    audit: control.audit,
  });
});
afterAll(async () => {
  await control?.stop();
});
beforeEach(() => {
  started.length = 0;
  alive.clear();
});

const command = (name: string, type: string, parents: string[] = [], rest: object = {}) => ({
  command_name: name,
  command_type: type,
  parent_command_names: parents,
  config: {},
  ...rest,
});
const document = {
  name: 'life',
  version: '1',
  parameters: { depth: { type: 'integer', default: 1 } },
  commands: [
    command('worker', 'MAKE'),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a binding
    command('first', 'DO', ['worker'], { config: { n: '${{ parameters.depth }}' } }),
    command('second', 'DO', ['first']),
    command('tidy', 'DO', ['second'], { cleanup: true }),
  ],
};

/** A run that ended like this. */
async function endedRun(states: Record<string, 'SUCCEEDED' | 'FAILED'>, state: 'SUCCEEDED' | 'FAILED') {
  const id = await runs.submit({ document }, testActor);
  for (const [name, each] of Object.entries(states)) {
    await control.db
      .updateTable('commands')
      .set({ state: each, attempt: 1, ended_at: new Date() })
      .where('run_id', '=', id)
      .where('name', '=', name)
      .execute();
  }
  await control.db.updateTable('runs').set({ state, ended_at: new Date() }).where('id', '=', id).execute();
  started.length = 0;
  return id;
}

async function statesOf(id: string) {
  const rows = await control.db.selectFrom('commands').selectAll().where('run_id', '=', id).execute();
  return Object.fromEntries(rows.map((row) => [row.name, row.state]));
}

const failed = { worker: 'SUCCEEDED', first: 'SUCCEEDED', second: 'FAILED', tidy: 'SUCCEEDED' } as const;

describe('a run that failed is resumed', () => {
  it('with only what failed, and the clean-up, where what was made is still there', async () => {
    const id = await endedRun(failed, 'FAILED');
    alive.add('worker');
    await runs.resume(id, testActor);
    expect(await statesOf(id)).toEqual({
      worker: 'SUCCEEDED',
      first: 'SUCCEEDED',
      second: 'PENDING',
      tidy: 'PENDING',
    });
    expect(started).toEqual([`${id}/1`]);
  });

  it('with what made something that is gone as well, under its key', async () => {
    const id = await endedRun(failed, 'FAILED');
    const worker = await addWorker(control.db, {
      run_id: id,
      how: 'local',
      state: 'STOPPED',
      launch_key: `${id}/worker`,
    });
    await runs.resume(id, testActor);
    expect(await statesOf(id)).toMatchObject({ worker: 'PENDING', first: 'SUCCEEDED', second: 'PENDING' });
    const row = await control.db
      .selectFrom('workers')
      .select('launch_key')
      .where('id', '=', worker)
      .executeTakeFirstOrThrow();
    expect(row.launch_key).toBeNull();
  });

  it('with attempts of its own: those before count no more', async () => {
    const id = await endedRun(failed, 'FAILED');
    await runs.resume(id, testActor);
    const row = await control.db
      .selectFrom('commands')
      .selectAll()
      .where('run_id', '=', id)
      .where('name', '=', 'second')
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ attempt: 1, attempts_before: 1, error: null });
  });

  it('once of two that ask at the same time', async () => {
    const id = await endedRun(failed, 'FAILED');
    const asked = await Promise.allSettled([runs.resume(id, testActor), runs.resume(id, testActor)]);
    expect(asked.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    expect(started).toEqual([`${id}/1`]);
  });

  it('not when it goes on or succeeded', async () => {
    const going = await runs.submit({ document }, testActor);
    await expect(runs.resume(going, testActor)).rejects.toMatchObject({ code: 'RUN_STATE' });
    const good = await endedRun({}, 'SUCCEEDED');
    await expect(runs.resume(good, testActor)).rejects.toMatchObject({ code: 'RUN_STATE' });
  });
});

describe('a run is cancelled', () => {
  it('once, by whom it says; and not after its end', async () => {
    const id = await runs.submit({ document }, testActor);
    await runs.cancel(id, testActor);
    await runs.cancel(id, { name: 'another', role: 'admin' });
    const row = await control.db
      .selectFrom('runs')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ cancel_requested_by: 'tester' });
    await expect(runs.cancel(await endedRun({}, 'FAILED'), testActor)).rejects.toMatchObject({
      code: 'RUN_STATE',
    });
    await expect(runs.cancel('run_none', testActor)).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });
});

describe('a run is run again', () => {
  it('as a new one with its parameters, changed where asked', async () => {
    const id = await runs.submit({ document, parameters: { depth: 5 } }, testActor);
    const parametersOf = async (run: string) =>
      (await control.db.selectFrom('runs').selectAll().where('id', '=', run).executeTakeFirstOrThrow())
        .parameters;
    const same = await runs.rerun(id, {}, testActor);
    expect(await parametersOf(same)).toEqual({ depth: 5 });
    const other = await runs.rerun(id, { parameters: { depth: 9 } }, testActor);
    expect(await parametersOf(other)).toEqual({ depth: 9 });
    const row = await control.db
      .selectFrom('runs')
      .select('rerun_of')
      .where('id', '=', other)
      .executeTakeFirst();
    expect(row?.rerun_of).toBe(id);
  });
});

describe('a DAG that is not valid', () => {
  it('is stored nowhere', async () => {
    const before = await control.db.selectFrom('runs').select('id').execute();
    await expect(
      runs.submit({ document: { ...document, commands: [command('x', 'NO_SUCH')] } }, testActor),
    ).rejects.toMatchObject({ code: 'INVALID_DAG' });
    expect(await control.db.selectFrom('runs').select('id').execute()).toHaveLength(before.length);
  });
});
