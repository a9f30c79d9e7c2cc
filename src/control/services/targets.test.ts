import { rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresInstance } from '../../postgres/index.js';
import {
  startReplica,
  startTestPostgres,
  type TestPostgres,
  testFolder,
} from '../../postgres/testing/index.js';
import { json } from '../../store/index.js';
import { startTestControl, type TestControl, testActor } from '../testing/index.js';
import { readHealth } from './target-health.js';
import { publicName } from './target-name.js';

let control: TestControl;
let primary: TestPostgres;
let replica: TestPostgres;
/** Made by initdb of its own: servers of the test helper are copies of one, and share its identifier. */
let stranger: PostgresInstance;
let strangerFolder: string;

beforeAll(async () => {
  control = await startTestControl();
  primary = await startTestPostgres();
  replica = await startReplica(primary);
  strangerFolder = await testFolder();
  stranger = await PostgresInstance.init({
    installation: primary.installation,
    dataDirectory: join(strangerFolder, 'data'),
    settings: { fsync: 'off' },
  });
  await stranger.start();
});
afterAll(async () => {
  await replica?.stop();
  await primary?.stop();
  await stranger?.destroy();
  await rm(strangerFolder, { recursive: true, force: true });
  await control?.stop();
});

const add = (more: object) =>
  control.targets.add({ name: 'shop', url: primary.url, production: true, ...more }, testActor);
const remove = (id: string) => control.targets.remove(id, testActor);

describe('checking a target', () => {
  it('tells what a server is and what can be captured', async () => {
    const row = await add({ name: 'alone' });
    expect(row.state).toBe('HEALTHY');
    const health = readHealth(row)!;
    expect(health).toMatchObject({ isStandby: false, loggingCollector: false });
    expect(health.major).toBe(Number(health.version!.split('.')[0]));
    expect(health.sizeBytes).toBeGreaterThan(1_000_000);
    expect(health.connections).toBeGreaterThan(0);
    expect(health.maxConnections).toBeGreaterThan(health.connections!);
    const log = health.captureMethods!.find(({ method }) => method === 'log');
    expect(log?.possible).toBe(false);
    expect(log?.why).toMatch(/logging_collector/);
    await remove(row.id);
  });

  it('measures a replica that is one of this primary', async () => {
    const row = await add({ name: 'pair', replicaUrl: replica.url });
    expect(readHealth(row)?.error).toBeUndefined();
    expect(row.state).toBe('HEALTHY');
    const health = readHealth(row)!;
    expect(health.replica).toMatchObject({ isStandby: true, ofThisPrimary: true });
    expect(health.replicationLagBytes).toBeGreaterThanOrEqual(0);
    expect(health.replicationLagBytes).toBeLessThan(64 * 1024 * 1024);
    await remove(row.id);
  });

  it('finds out a replica that is none, or is one of another server', async () => {
    const none = await add({ name: 'none', replicaUrl: stranger.url() });
    expect(none.state).toBe('UNHEALTHY');
    expect(readHealth(none)?.replica).toMatchObject({ isStandby: false, ofThisPrimary: false });
    expect(readHealth(none)?.error).toMatch(/not a standby/);
    await remove(none.id);

    const foreign = await add({ name: 'foreign', url: stranger.url(), replicaUrl: replica.url });
    expect(foreign.state).toBe('UNHEALTHY');
    expect(readHealth(foreign)?.error).toMatch(/standby of another server/);
    await remove(foreign.id);
  });

  it('warns of a standby given as the primary and of the same server registered twice', async () => {
    const first = await add({ name: 'first' });
    const second = await add({ name: 'second' });
    expect(second.state).toBe('HEALTHY');
    expect(readHealth(second)?.warnings).toContain('target "first" is the same database');
    const standby = await add({ name: 'standby', url: replica.url });
    expect(readHealth(standby)?.warnings?.join()).toMatch(/this server is a standby/);
    for (const { id } of [first, second, standby]) await remove(id);
  });
});

/** Defect 12 of the original: one bad registration stopped everything. */
describe('a server that cannot be reached', () => {
  let silent: Server;
  beforeAll(async () => {
    // Accepts and never answers.
    silent = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    return () => new Promise<void>((resolve) => silent.close(() => resolve()));
  });

  it('is registered as UNHEALTHY with the reason, and the others are checked all the same', async () => {
    const silentUrl = `postgresql://u:pw-${'x'.repeat(8)}@127.0.0.1:${(silent.address() as AddressInfo).port}/db`;
    const bad = await Promise.all([
      add({ name: 'refused', url: 'postgresql://u:secretpw@127.0.0.1:1/db' }),
      add({ name: 'unknown', url: 'postgresql://u:secretpw@no-such-host.invalid/db' }),
      add({ name: 'silent', url: silentUrl }),
      add({ name: 'missing', url: primary.urlOf('no_such_database') }),
    ]);
    const good = await add({ name: 'good' });
    for (const row of bad) {
      expect(row.state, row.name).toBe('UNHEALTHY');
      expect(readHealth(row)?.error, row.name).toMatch(/\w/);
      expect(JSON.stringify(row.health), row.name).not.toMatch(/secretpw|pw-x/);
    }
    expect(readHealth(bad[3]!)?.error).toMatch(/no_such_database/);
    await control.db
      .updateTable('targets')
      .set({ checked_at: new Date(0), state: 'UNKNOWN' })
      .execute();
    await control.targets.checkAll({ olderThanMs: 60_000 });
    const states = new Map((await control.targets.list()).map((row) => [row.name, row.state]));
    expect(states.get('good')).toBe('HEALTHY');
    expect([...states].filter(([, state]) => state === 'UNHEALTHY')).toHaveLength(4);
    const { checked_at: checkedAt } = await control.targets.find('good');
    await control.targets.checkAll({ olderThanMs: 60_000 });
    expect((await control.targets.find('good')).checked_at).toEqual(checkedAt);
    for (const { id } of [...bad, good]) await remove(id);
  });
});

describe('registering and removing', () => {
  it.each([
    [{ name: 'Shop' }, /not a target's name/],
    [{ name: '../x' }, /not a target's name/],
    [{ name: 'a'.repeat(64) }, /not a target's name/],
    [{ url: 'mysql://x' }, /url: .*postgresql:\/\//],
    [{ replicaUrl: 'nonsense' }, /replicaUrl/],
    [{ url: 'postgresql://h:5432/a', replicaUrl: 'postgresql://h:5432/a' }, /same server/],
  ])('refuses %j', async (bad, message) => {
    await expect(add(bad)).rejects.toThrow(message);
    expect(await control.targets.list()).toEqual([]);
  });

  it('keeps names apart, and gives one back when its target is removed', async () => {
    const first = await add({});
    await expect(add({})).rejects.toMatchObject({ code: 'NAME_TAKEN' });
    await remove(first.id);
    await expect(control.targets.find('shop')).rejects.toMatchObject({ code: 'TARGET_NOT_FOUND' });
    await expect(remove(first.id)).rejects.toMatchObject({ code: 'TARGET_NOT_FOUND' });
    const gone = await control.db
      .selectFrom('targets')
      .selectAll()
      .where('id', '=', first.id)
      .executeTakeFirstOrThrow();
    expect(publicName(gone.name)).toBe('shop');
    expect([gone.url_secret, gone.replica_url_secret]).toEqual(['', null]);
    const second = await add({});
    expect(second.id).not.toBe(first.id);
    await remove(second.id);
  });

  it('does not remove what is in use', async () => {
    const { id } = await add({ name: 'busy' });
    const runId = await control.runs.submit(
      { document: { name: 'r', commands: [] }, target: 'busy' },
      testActor,
    );
    const before = json({ autoConf: null, value: '-1', source: 'default' });
    await control.db
      .insertInto('changes')
      .values({
        id: 'chg_1',
        target_id: id,
        server: 'primary',
        setting: 'log_min_duration_statement',
        before,
        ours: '0',
        reason: 'capture',
      })
      .execute();
    await expect(remove(id)).rejects.toMatchObject({
      code: 'TARGET_BUSY',
      message: expect.stringMatching(new RegExp(`${runId} is active.*log_min_duration_statement is open`)),
    });
    await control.db.updateTable('runs').set({ state: 'SUCCEEDED' }).where('id', '=', runId).execute();
    await control.db.updateTable('changes').set({ state: 'RESTORED' }).execute();
    await remove(id);
  });

  it('hands out the connection strings to those who dispatch, from ciphertext', async () => {
    const url = primary.url
      .replace('postgresql://', 'postgresql://')
      .replace(/:\/\/([^@/]+)@/, '://$1:pl4nted@');
    const row = await add({ name: 'sealed', url });
    expect(await control.targets.access(row.id)).toMatchObject({ primaryUrl: url, name: 'sealed' });
    expect(JSON.stringify(row)).not.toContain('pl4nted');
    await remove(row.id);
    await expect(control.targets.access(row.id)).rejects.toMatchObject({ code: 'TARGET_NOT_FOUND' });
  });
});
