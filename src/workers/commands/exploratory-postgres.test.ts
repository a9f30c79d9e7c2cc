import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exists, parseInput } from '../../base/index.js';
import { connectionUrl, dropClone, listClones, withConnection } from '../../postgres/index.js';
import { startTestPostgres, type TestPostgres, testFolder } from '../../postgres/testing/index.js';
import { cloneIdOf } from '../clone-id.js';
import type { CloneAccess, CommandContext, TargetAccess } from '../command.js';
import { type TestContext, testContext } from '../testing/index.js';
import { launchExploratoryPostgres } from './launch-exploratory-postgres.js';
import { stopExploratoryPostgres } from './stop-exploratory-postgres.js';

let root: string;
let primary: TestPostgres;
let target: TargetAccess;

beforeAll(async () => {
  root = await testFolder();
  primary = await startTestPostgres({ settings: { wal_level: 'replica' } });
  await withConnection(primary.url, {}, async (client) => {
    await client.query('create table thing as select generate_series(1, 1000) as id');
  });
  target = { id: 'tgt_1', name: 'shop', production: true, primaryUrl: primary.url };
});
afterAll(async () => {
  for (const { id } of await listClones(root)) await dropClone(root, id);
  await primary.stop();
  await rm(root, { recursive: true, force: true });
});

type Launched = Awaited<ReturnType<typeof launchExploratoryPostgres.run>>;

function contextOf(given: Partial<CommandContext> = {}): TestContext {
  return testContext({ root, target, command: 'clone', ...given });
}

async function launch(config: Record<string, unknown>, context: TestContext): Promise<Launched> {
  return launchExploratoryPostgres.run(
    parseInput(launchExploratoryPostgres.type.config, config, 'config'),
    context,
  );
}

function accessOf(launched: Launched, command: string): CloneAccess {
  const { host, port, socket_directory, user, database } = launched;
  const connection = {
    host,
    port,
    user,
    database,
    ...(socket_directory && { socketDirectory: socket_directory }),
  };
  return { id: launched.instance, command, workerId: 'wrk_test', connection };
}

async function count(access: CloneAccess): Promise<number> {
  return withConnection(connectionUrl(access.connection), {}, async (client) => {
    const { rows } = await client.query<{ n: number }>('select count(*)::int as n from thing');
    return rows[0]!.n;
  });
}

describe('LAUNCH and STOP', () => {
  it('an empty server: registered before it is made, on loopback only, gone afterwards', async () => {
    const context = contextOf({ command: 'empty' });
    const launched = await launch({ ttl: '1h', limits: { max_connections: 20 } }, context);
    expect(launched).toMatchObject({
      instance: cloneIdOf('run_test/empty'),
      method: 'empty',
      tool: 'initdb',
    });
    expect(launchExploratoryPostgres.type.output.parse(launched)).toEqual(launched);
    expect(['127.0.0.1', '::1', 'localhost']).toContain(launched.host);
    expect(JSON.stringify(launched)).not.toMatch(/password/i);
    expect(context.recorded.map(({ action }) => action)).toEqual(['clone_started', 'clone_ready']);
    expect(context.recorded[0]?.body).toMatchObject({
      id: launched.instance,
      keep: false,
      limits: { max_connections: 20 },
    });
    const { expiresAt } = context.recorded[0]!.body as { expiresAt: string };
    expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(3_500_000);

    const access = accessOf(launched, 'empty');
    const version = await withConnection(connectionUrl(access.connection), {}, async (client) => {
      const { rows } = await client.query<{ max_connections: string }>('show max_connections');
      return rows[0]!.max_connections;
    });
    expect(version).toBe('20');

    const stop = contextOf({ command: 'stop', clones: [access] });
    const stopped = await stopExploratoryPostgres.run({ launch_command: 'empty' }, stop);
    expect(stopped).toMatchObject({ stopped: true });
    expect(stopped.freed_bytes).toBeGreaterThan(1_000_000);
    expect(stop.recorded).toMatchObject([{ action: 'clone_stopped', body: { id: launched.instance } }]);
    expect(await listClones(root)).toEqual([]);

    const again = await stopExploratoryPostgres.run(
      { launch_command: 'empty' },
      contextOf({ command: 'stop' }),
    );
    expect(again).toMatchObject({ stopped: false, freed_bytes: 0 });
    expect(again.note).toContain('nothing to stop');
  });

  it('a copy of the target; a second attempt first clears away the first', async () => {
    const first = await launch({ snapshot: true }, contextOf({ command: 'copy' }));
    expect(first.method).toBe('backup');
    expect(first.why).not.toBe('');
    expect(await count(accessOf(first, 'copy'))).toBe(1000);
    await withConnection(primary.url, {}, (client) => client.query('insert into thing values (1001)'));

    const context = contextOf({ command: 'copy' });
    const second = await launch({ snapshot: true }, context);
    expect(second.instance).toBe(first.instance);
    expect(context.said.some(({ message }) => message.includes('left by an earlier attempt'))).toBe(true);
    expect(await count(accessOf(second, 'copy'))).toBe(1001);
    expect(await listClones(root)).toHaveLength(1);
    const clones = [accessOf(second, 'copy')];
    await stopExploratoryPostgres.run({ launch_command: 'copy' }, contextOf({ clones }));
  });

  it('two clones at once have ports of their own', async () => {
    const contexts = [contextOf({ command: 'one' }), contextOf({ command: 'two' })];
    const launched = await Promise.all(contexts.map((context) => launch({}, context)));
    expect(launched[0]!.port).not.toBe(launched[1]!.port);
    for (const [i, command] of ['one', 'two'].entries()) {
      await stopExploratoryPostgres.run(
        { launch_command: command },
        contextOf({ clones: [accessOf(launched[i]!, command)] }),
      );
    }
  });

  it('cancelled: nothing is left, and that is recorded', async () => {
    const stop = new AbortController();
    const context = contextOf({ command: 'cancelled', signal: stop.signal });
    const register = context.cloneRegistry.started;
    context.cloneRegistry = {
      ...context.cloneRegistry,
      started: async (clone) => {
        await register(clone);
        stop.abort(new Error('cancelled by a test'));
      },
    };
    await expect(launch({ snapshot: true }, context)).rejects.toThrow();
    expect(context.recorded.map(({ action }) => action)).toEqual(['clone_started', 'clone_stopped']);
    expect(await listClones(root)).toEqual([]);
  });

  it('no longer wanted by the control plane: taken down again', async () => {
    const context = contextOf({ command: 'unwanted' });
    context.cloneRegistry = {
      ...context.cloneRegistry,
      ready: async () => {
        throw new Error('no longer wanted');
      },
    };
    await expect(launch({}, context)).rejects.toThrow('no longer wanted');
    expect(await listClones(root)).toEqual([]);
  });

  it('never takes another source than asked for', async () => {
    await expect(launch({ snapshot: true, source: 'replica' }, contextOf())).rejects.toMatchObject({
      code: 'NO_REPLICA',
    });
    await expect(launch({ snapshot: true }, testContext({ root }))).rejects.toMatchObject({
      code: 'NO_TARGET',
    });
  });
});

describe('STOP refuses what is not a registered clone of the run', () => {
  const connection = { host: '127.0.0.1', port: 1, user: 'u', database: 'd' };
  const stop = (clones: CloneAccess[], launch_command = 'clone') =>
    stopExploratoryPostgres.run({ launch_command }, contextOf({ clones }));

  it('a clone under a foreign id', async () => {
    const foreign = { id: cloneIdOf('run_other/clone'), command: 'clone', workerId: 'wrk_test', connection };
    await expect(stop([foreign])).rejects.toMatchObject({ code: 'NOT_OUR_CLONE' });
    await expect(stop([{ ...foreign, id: '../attempts' }])).rejects.toMatchObject({ code: 'NOT_OUR_CLONE' });
  });

  it('a clone of another worker', async () => {
    const elsewhere = {
      id: cloneIdOf('run_test/clone'),
      command: 'clone',
      workerId: 'wrk_other',
      connection,
    };
    await expect(stop([elsewhere])).rejects.toMatchObject({ code: 'CLONE_ELSEWHERE' });
  });

  it('a folder that does not bear our marker', async () => {
    const id = cloneIdOf('run_test/clone');
    const folder = join(root, 'clones', id);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'precious'), 'data');
    try {
      const registered = { id, command: 'clone', workerId: 'wrk_test', connection };
      await expect(stop([registered])).rejects.toMatchObject({ code: 'NOT_OUR_CLONE' });
      await expect(stop([])).rejects.toMatchObject({ code: 'NOT_OUR_CLONE' });
      expect(await exists(join(folder, 'precious'))).toBe(true);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('and so the production server cannot be named at all', async () => {
    for (const name of [
      'primary',
      'replica',
      primary.url,
      primary.instance.dataDirectory,
      String(primary.instance.port),
    ]) {
      expect(await stop([], name)).toMatchObject({ stopped: false, freed_bytes: 0 });
    }
    expect(await primary.instance.isRunning()).toBe(true);
  });
});
