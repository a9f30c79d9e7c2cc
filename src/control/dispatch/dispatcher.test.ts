import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../base/index.js';
import {
  addAttempt,
  addRun,
  addWorker,
  dagOf,
  startTestControl,
  type TestControl,
} from '../testing/index.js';
import type { WorkerLauncher } from '../workers/launcher.js';
import { CommandDispatcher } from './dispatcher.js';
import type { RunCleaner } from './run-cleaner.js';

let control: TestControl;
/** Workers that were to be started again. */
const revived: string[] = [];
const launcher = {
  ensure: (id: string) => {
    revived.push(id);
    return new Promise(() => {});
  },
} as unknown as WorkerLauncher;

beforeAll(async () => {
  control = await startTestControl();
});
afterAll(async () => {
  await control?.stop();
});
beforeEach(async () => {
  revived.length = 0;
  await control.db.deleteFrom('runs').execute();
  await control.db.deleteFrom('workers').execute();
});

const dag = dagOf([
  { name: 'far', type: 'LAUNCH_PRIMARY_WORKER' },
  { name: 'middle', parents: ['far'] },
  { name: 'near', type: 'LAUNCH_PRIMARY_WORKER', parents: ['middle'] },
  { name: 'twin', type: 'LAUNCH_PRIMARY_WORKER', parents: ['middle'] },
  { name: 'work', parents: ['near', 'twin'] },
  { name: 'alone' },
]);

/** Places `name` where these launchers have launched these workers; the others failed. */
async function place(name: string, launched: Record<string, string>, runId?: string) {
  const id = runId ?? (await addRun(control.db, { dag }));
  const run = await control.db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  const dispatcher = new CommandDispatcher({
    db: control.db,
    launcher,
    cleaner: {} as RunCleaner,
    controlCommands: [],
    logger: silentLogger,
  });
  return await dispatcher.place({
    run,
    command: dag.commands.find((command) => command.name === name)!,
    place: 'primary',
    statusOf: (command) =>
      launched[command]
        ? { state: 'SUCCEEDED', output: { worker: launched[command] } }
        : { state: 'FAILED', output: null },
  });
}

describe('a command below commands that launch workers', () => {
  it('goes to the nearest that launched one', async () => {
    const [far, twin] = [await addWorker(control.db), await addWorker(control.db, { lease_epoch: 7 })];
    expect(await place('work', { far, twin })).toEqual({ workerId: twin, leaseEpoch: 7 });
  });

  it('goes to one further up when the near ones did not launch theirs', async () => {
    const far = await addWorker(control.db);
    expect(await place('work', { far })).toEqual({ workerId: far, leaseEpoch: 1 });
  });

  it('never goes anywhere when none was launched, though others are attached', async () => {
    await addWorker(control.db);
    expect(await place('work', {})).toEqual({ never: expect.stringMatching(/did not launch/) });
  });

  it('waits while its worker is lost, which is started again once', async () => {
    const near = await addWorker(control.db, { state: 'LOST', how: 'local' });
    expect(await place('work', { near })).toEqual({ wait: expect.stringContaining('LOST') });
    expect(revived).toEqual([near]);
  });

  it('waits while its worker drains', async () => {
    const near = await addWorker(control.db, { state: 'DRAINING' });
    expect(await place('work', { near })).toEqual({ wait: expect.stringContaining('drains') });
    expect(revived).toEqual([]);
  });
});

describe('a command of a DAG that launches none', () => {
  it('waits until a worker of the kind is attached', async () => {
    await addWorker(control.db, { kind: 'exploratory' });
    expect(await place('alone', {})).toEqual({ wait: 'no primary worker is attached' });
  });

  it('goes to the one that has least in hand', async () => {
    const busy = await addWorker(control.db);
    const idle = await addWorker(control.db);
    await addAttempt(control.db, await addRun(control.db), busy);
    expect(await place('alone', {})).toMatchObject({ workerId: idle });
  });

  it('never goes to a worker of another run', async () => {
    await addWorker(control.db, { run_id: await addRun(control.db) });
    expect(await place('alone', {})).toEqual({ wait: 'no primary worker is attached' });
  });
});
