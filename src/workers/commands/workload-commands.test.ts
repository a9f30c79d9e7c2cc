import { rm } from 'node:fs/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OttoError, parseInput } from '../../base/index.js';
import { connect, dropClone, listClones, withConnection } from '../../postgres/index.js';
import { startTestPostgres, type TestPostgres, testFolder } from '../../postgres/testing/index.js';
import type { CloneAccess, CommandContext, WorkerCommand } from '../command.js';
import { type TestContext, testContext } from '../testing/index.js';
import { workerCommands } from './index.js';

let root: string;
let primary: TestPostgres;
let clone: CloneAccess;
/** Everything stored by any command of this file. */
let store: TestContext;

beforeAll(async () => {
  root = await testFolder();
  store = testContext({ root });
  primary = await startTestPostgres({ settings: { logging_collector: 'on', wal_level: 'replica' } });
  await withConnection(primary.url, {}, async (client) => {
    await client.query(
      'create table account as select id, 100 as balance from generate_series(1, 100) as id',
    );
    await client.query('alter table account add primary key (id)');
  });
  const launched = (await run('LAUNCH_EXPLORATORY_POSTGRES', { snapshot: true }, { command: 'clone' })) as {
    instance: string;
    host: string;
    port: number;
    socket_directory?: string;
    user: string;
    database: string;
  };
  const { instance, host, port, socket_directory, user, database } = launched;
  const connection = {
    host,
    port,
    user,
    database,
    ...(socket_directory && { socketDirectory: socket_directory }),
  };
  clone = { id: instance, command: 'clone', workerId: 'wrk_test', connection };
});
afterAll(async () => {
  for (const { id } of await listClones(root)) await dropClone(root, id);
  await primary.stop();
  await rm(root, { recursive: true, force: true });
});

function commandOf(type: string): WorkerCommand {
  return workerCommands.find((command) => command.type.type === type)!;
}

/** Runs a command as a worker does: config and output go through their schemas. */
async function run(type: string, config: unknown, given: Partial<CommandContext> = {}): Promise<unknown> {
  const command = commandOf(type);
  const context = testContext({
    root,
    target: { id: 'tgt_1', name: 'shop', production: true, primaryUrl: primary.url },
    artifacts: store.artifacts,
    ...given,
  });
  return command.type.output.parse(
    await command.run(parseInput(command.type.config, config, 'config'), context),
  );
}

/** Small transactions until `stop`. */
async function traffic(client: pg.Client, stop: AbortSignal): Promise<number> {
  let transactions = 0;
  while (!stop.aborted) {
    await client.query('begin');
    await client.query('update account set balance = balance - $1 where id = $2', [
      1,
      1 + (transactions % 100),
    ]);
    await client.query('select balance from account where id = $1', [1 + (transactions % 100)]);
    await client.query('commit');
    transactions += 1;
  }
  return transactions;
}

const logSettings = () =>
  withConnection(primary.url, {}, async (client) => {
    const { rows } = await client.query(
      "select name, setting from pg_settings where name like 'log%' order by name",
    );
    return rows;
  });

describe('capture and replay', () => {
  it('what happened on the primary is archived, its settings put back, and played to the clone', async () => {
    const before = await logSettings();
    const stop = new AbortController();
    // Statements of Ottopilot's own are no part of a workload, so this one has another name.
    const client = await connect(primary.url, { applicationName: 'shop' });
    const ran = traffic(client, stop.signal);
    let capture: { artifact: string; counts: Record<string, number>; restored: { outcome: string }[] };
    try {
      capture = (await run('CAPTURE_PRIMARY_WORKLOAD', { time_period: '1s' })) as typeof capture;
    } finally {
      stop.abort();
      await ran;
      await client.end();
    }
    expect(capture.counts.statements).toBeGreaterThan(10);
    expect(capture.restored.length).toBeGreaterThan(0);
    expect(capture.restored.every(({ outcome }) => outcome === 'RESTORED')).toBe(true);
    expect(await logSettings()).toEqual(before);
    expect(store.stored.get(capture.artifact)?.draft).toMatchObject({ kind: 'workload', format: 'parquet' });

    const replay = (await run(
      'REPLAY_WORKLOAD',
      { capture: 'cap', where: 'clone', speed: 'max' },
      { clones: [clone], outputs: { cap: capture }, command: 'replay' },
    )) as { artifact: string; capture: string; statements: number; errors: number };
    expect(replay).toMatchObject({ capture: capture.artifact, errors: 0 });
    expect(replay.statements).toBeGreaterThan(10);
    expect(await store.read(replay.artifact)).toMatchObject({ statements: replay.statements });
  });

  it('a capture that is cancelled puts the settings back and archives nothing', async () => {
    const before = await logSettings();
    const stored = store.stored.size;
    const stop = new AbortController();
    const context = testContext({ root });
    const { intend } = context.journal;
    const journal = {
      ...context.journal,
      intend: async (...changes: Parameters<typeof intend>) => {
        const open = await intend(...changes);
        setImmediate(() => stop.abort(new Error('cancelled by a test')));
        return open;
      },
    };
    await expect(
      run('CAPTURE_PRIMARY_WORKLOAD', { time_period: '1h' }, { signal: stop.signal, journal }),
    ).rejects.toThrow();
    expect(await logSettings()).toEqual(before);
    const resolved = context.recorded.filter(({ action }) => action === 'resolve_change');
    expect(resolved.length).toBeGreaterThan(0);
    expect(resolved.every(({ body }) => (body as { state: string }).state === 'RESTORED')).toBe(true);
    expect(store.stored.size).toBe(stored);
  });

  it('a method that is not there is refused by name', async () => {
    for (const method of ['statements', 'proxy']) {
      await expect(run('CAPTURE_PRIMARY_WORKLOAD', { method })).rejects.toMatchObject({
        code: 'METHOD_NOT_AVAILABLE',
      });
    }
  });

  it('a replay needs a capture that is known and a clone of the run', async () => {
    const config = { capture: 'cap', where: 'clone' };
    const errorOf = (given: Partial<CommandContext>) =>
      run('REPLAY_WORKLOAD', config, given).catch((error: OttoError) => error.code);
    expect(await errorOf({ clones: [clone] })).toBe('NO_SUCH_CAPTURE');
    expect(await errorOf({ clones: [] })).toBe('NO_SUCH_CLONE');
    expect(await errorOf({ clones: [{ ...clone, id: 'cln_of_another_run' }] })).toBe('NOT_OUR_CLONE');
  });
});

describe('collect', () => {
  const catalog = { data_collector_type: 'CATALOG', data_collector_config: {} };

  it('from the only clone, the clone by name, and the primary', async () => {
    for (const target of ['exploratory', 'clone', 'primary']) {
      const output = (await run(
        'COLLECT_DATA_FROM_EXPLORATORY',
        { ...catalog, target },
        { clones: [clone] },
      )) as {
        artifact: string;
        rows: number;
      };
      expect(output).toMatchObject({ collector: 'CATALOG', target });
      expect(output.rows).toBeGreaterThan(0);
      expect(JSON.stringify(await store.read(output.artifact))).toContain('account');
    }
  });

  it('never from another server than the one that was named', async () => {
    const errorOf = (target: string, clones: CloneAccess[]) =>
      run('COLLECT_DATA_FROM_EXPLORATORY', { ...catalog, target }, { clones }).catch(
        (error: OttoError) => error.code,
      );
    expect(await errorOf('replica', [clone])).toBe('NO_REPLICA');
    expect(await errorOf('exploratory', [])).toBe('WHICH_CLONE');
    expect(await errorOf('exploratory', [clone, { ...clone, command: 'other' }])).toBe('WHICH_CLONE');
    expect(await errorOf('clone_2', [clone])).toBe('NO_SUCH_CLONE');
  });
});

describe('benchmarks', () => {
  it('are loaded into a clone and run there', async () => {
    const given = { clones: [clone] };
    const config = { benchmark: 'ycsb', where: 'clone' };
    await expect(run('RUN_BENCHMARK', { ...config, seconds: 1 }, given)).rejects.toMatchObject({
      code: 'BENCHMARK_NOT_LOADED',
    });
    const loaded = (await run('GENERATE_WORKLOAD', config, given)) as { tables: { rows: number }[] };
    expect(loaded.tables[0]?.rows).toBe(1000);
    const measured = (await run('RUN_BENCHMARK', { ...config, duration: '1s', connections: 2 }, given)) as {
      artifact: string;
      completed: number;
    };
    expect(measured.completed).toBeGreaterThan(0);
    expect(await store.read(measured.artifact)).toMatchObject({
      benchmark: 'ycsb',
      completed: measured.completed,
    });
  });

  it('never go to the target', async () => {
    for (const where of ['primary', 'replica']) {
      await expect(
        run('GENERATE_WORKLOAD', { benchmark: 'ycsb', where }, { clones: [clone] }),
      ).rejects.toMatchObject({
        code: 'NO_SUCH_CLONE',
      });
    }
  });
});
