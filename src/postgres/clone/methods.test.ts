import { readdirSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { copyFiles } from '../backup/copy-files.js';
import { connect, withConnection } from '../connect.js';
import { findInstallations } from '../installations.js';
import { startReplica, startTestPostgres, type TestPostgres, testFolder } from '../testing/index.js';
import { connectionUrl } from '../url.js';
import { createClone, dropClone, listClones } from './index.js';

const installations = await findInstallations();
const dumpable = installations.find(({ tools }) => tools.pg_dump && tools.pg_restore)?.major;

/** Syncing many small files is slow, and nothing here outlives the machine. */
const fast = { settings: { fsync: 'off' } };

let root: string;
let server: TestPostgres;
afterEach(async () => {
  for (const { id } of await listClones(root)) await dropClone(root, id, { url: server.url });
});
beforeAll(async () => {
  root = await testFolder();
  server = await startTestPostgres({ major: 18 });
  const client = await connect(server.url);
  await client.query('create database shop');
  await client.end();
  await withConnection(server.urlOf('shop'), {}, (shop) =>
    shop.query('create table orders as select generate_series(1, 500) as id'),
  );
});
afterAll(async () => {
  await server?.stop();
  await rm(root, { recursive: true, force: true });
});

const countOrders = (url: string) =>
  withConnection(
    url,
    {},
    async (client) => (await client.query('select count(*)::int as n from orders')).rows[0].n,
  );

test('auto says what it chose, and what it thought of the rest', async () => {
  const clone = await createClone({
    limits: fast,
    id: 'auto',
    root,
    source: { url: server.urlOf('shop'), role: 'primary' },
    method: 'auto',
  });
  expect(clone.method).toBe('backup');
  expect(clone.why).toMatch(/^backup: /);
  expect(clone.considered.map(({ method }) => method)).toEqual(['backup', 'dump', 'template', 'empty']);
  for (const { why } of clone.considered) expect(why).toMatch(/.{10}/);
  expect(clone.connection.database).toBe('shop');
  expect(await countOrders(connectionUrl(clone.connection))).toBe(500);
  await dropClone(root, 'auto');
});

test('without a source there is only empty', async () => {
  const clone = await createClone({ limits: fast, id: 'empty', root, method: 'auto', database: 'lab' });
  expect(clone).toMatchObject({ method: 'empty', tool: 'initdb', connection: { database: 'lab' } });
  await withConnection(connectionUrl(clone.connection), {}, (client) =>
    client.query('create table t (i int)'),
  );
  await expect(createClone({ limits: fast, id: 'empty', root, method: 'empty' })).rejects.toMatchObject({
    code: 'CLONE_EXISTS',
  });
  expect(await listClones(root)).toMatchObject([{ id: 'empty', running: true, method: 'empty' }]);
  await dropClone(root, 'empty');
  await expect(createClone({ limits: fast, id: 'none', root, method: 'backup' })).rejects.toMatchObject({
    code: 'CLONE_METHOD_UNAVAILABLE',
  });
});

test('a replica that is down is an error, never an empty clone', async () => {
  const replica = await startReplica(server);
  try {
    await replica.instance.stop();
    for (const method of ['auto', 'backup', 'empty'] as const) {
      const request = { id: 'down', root, method, source: { url: replica.url, role: 'replica' as const } };
      await expect(createClone(request)).rejects.toMatchObject({
        code: 'CONNECT_REFUSED',
        message: expect.stringContaining('the replica cannot be copied'),
      });
      expect(await listClones(root)).toEqual([]);
    }
  } finally {
    await replica.stop();
  }
});

test('a method that cannot be had is an error with the reason', async () => {
  await withConnection(server.url, {}, (client) =>
    client.query("create role guest login; alter role guest password 'g'"),
  );
  const url = server.urlOf('shop').replace('postgres@', 'guest@');
  const source = { url, role: 'primary' as const };
  for (const [method, reason] of [
    ['backup', /data_directory|REPLICATION/],
    ['dump', /pg_dump/],
    ['template', /may not create/],
    ['auto', /backup: .*dump: .*template: /],
  ] as const) {
    if (method === 'dump' && (dumpable ?? 0) >= 18) continue;
    if (method === 'auto' && (dumpable ?? 0) >= 18) continue;
    await expect(createClone({ limits: fast, id: 'guest', root, source, method })).rejects.toMatchObject({
      code: 'CLONE_METHOD_UNAVAILABLE',
      message: expect.stringMatching(reason),
    });
  }
  expect(await listClones(root)).toEqual([]);
});

describe('template', () => {
  test('a database in a clone of ours, and away again', async () => {
    const parent = await createClone({
      limits: fast,
      id: 'parent',
      root,
      source: { url: server.urlOf('shop'), role: 'primary' },
      method: 'backup',
    });
    const source = { url: connectionUrl(parent.connection), role: 'primary' as const };
    const busy = await connect(source.url);
    await expect(
      createClone({ limits: fast, id: 'child', root, source, method: 'template' }),
    ).rejects.toMatchObject({
      code: 'CLONE_METHOD_UNAVAILABLE',
      message: expect.stringContaining('1 other session'),
    });
    await busy.end();
    const child = await createClone({ limits: fast, id: 'child', root, source, method: 'template' });
    expect(child).toMatchObject({
      tool: 'CREATE DATABASE',
      connection: { database: 'otto_child', port: parent.connection.port },
    });
    expect(child.why).toContain('the clone parent');
    await withConnection(connectionUrl(child.connection), {}, (client) => client.query('delete from orders'));
    expect(await countOrders(source.url)).toBe(500);
    expect(await countOrders(connectionUrl(child.connection))).toBe(0);
    await dropClone(root, 'child');
    await expect(connect(connectionUrl(child.connection))).rejects.toMatchObject({
      code: 'NO_SUCH_DATABASE',
    });
    expect(await countOrders(source.url)).toBe(500);
    await createClone({ limits: fast, id: 'orphan', root, source, method: 'template' });
    await dropClone(root, 'parent');
    expect(await dropClone(root, 'orphan')).toMatchObject({ freedBytes: expect.any(Number) });
    expect(await listClones(root)).toEqual([]);
  });

  test('a database in another server only when nobody uses it, and dropped with its URL', async () => {
    const source = { url: server.urlOf('shop'), role: 'primary' as const };
    const clone = await createClone({ limits: fast, id: 'guest-db', root, source, method: 'template' });
    expect(await countOrders(connectionUrl(clone.connection))).toBe(500);
    await expect(dropClone(root, 'guest-db')).rejects.toMatchObject({ code: 'CLONE_NEEDS_URL' });
    await dropClone(root, 'guest-db', { url: server.url });
    await expect(connect(connectionUrl(clone.connection))).rejects.toMatchObject({
      code: 'NO_SUCH_DATABASE',
    });
  });
});

describe.runIf(dumpable !== undefined)('dump', () => {
  let old: TestPostgres;
  beforeAll(async () => {
    old = await startTestPostgres({ major: dumpable! });
    const client = await connect(old.url);
    await client.query("create role clerk login password 'secret'; create role staff; grant staff to clerk");
    await client.query('create database shop owner clerk');
    await client.end();
    await withConnection(old.urlOf('shop'), {}, (shop) =>
      shop.query(
        'create table orders as select generate_series(1, 500) as id; grant select on orders to staff; alter table orders enable row level security',
      ),
    );
  });
  afterAll(() => old?.stop());

  test('one database with its owners and grants, from a primary and from a standby', async () => {
    const replica = await startReplica(old);
    try {
      for (const role of ['primary', 'replica'] as const) {
        const source = { url: (role === 'primary' ? old : replica).urlOf('shop'), role };
        const clone = await createClone({ limits: fast, id: `dump-${role}`, root, source, method: 'dump' });
        expect(clone).toMatchObject({ method: 'dump', tool: 'pg_dump', connection: { database: 'shop' } });
        expect(clone.copiedBytes).toBeGreaterThan(1000);
        await withConnection(connectionUrl(clone.connection), {}, async (client) => {
          const { rows } = await client.query(`
            select (select count(*)::int from orders) as n, pg_has_role('clerk', 'staff', 'member') as member,
                   has_table_privilege('staff', 'orders', 'select') as granted,
                   (select datdba::regrole::text from pg_database where datname = 'shop') as owner,
                   (select reltuples::int from pg_class where relname = 'orders') as estimated`);
          expect(rows).toEqual([{ n: 500, member: true, granted: true, owner: 'clerk', estimated: 500 }]);
        });
        await dropClone(root, `dump-${role}`);
      }
    } finally {
      await replica.stop();
    }
  });

  test('a dump that fails is an error that says why, and leaves nothing', async () => {
    await withConnection(old.url, {}, (client) => client.query('create role clerk2 login'));
    const url = old.urlOf('shop').replace('postgres@', 'clerk2@');
    await expect(
      createClone({ limits: fast, id: 'partial', root, source: { url, role: 'primary' }, method: 'dump' }),
    ).rejects.toMatchObject({
      code: 'DUMP_FAILED',
      message: expect.stringMatching(/permission denied for .*orders/),
    });
    expect(await listClones(root)).toEqual([]);
  });
});

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
if (!isRoot) process.stderr.write('skipped: NO_SPACE on a small file system, which only root can mount\n');
describe.runIf(isRoot)('a small file system', () => {
  let small: string;
  beforeAll(async () => {
    small = join(root, 'small');
    await mkdir(small);
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=60m,mode=755', 'tmpfs', small]);
  });
  afterAll(async () => {
    await execa('umount', [small]);
  });

  test('too little space is found before anything is copied', async () => {
    for (const method of ['backup', 'empty'] as const) {
      const copying: string[] = [];
      const request = {
        id: 'big',
        root: small,
        method,
        source: { url: server.url, role: 'primary' as const },
        progress: ({ phase }: { phase: string }) => copying.push(phase),
      };
      await expect(createClone(request)).rejects.toMatchObject({
        code: 'NO_SPACE',
        message: expect.stringMatching(/needs .*B.*free/),
      });
      expect(copying).not.toContain('copying');
      expect(await listClones(small)).toEqual([]);
    }
  });

  test('a disk that fills up during the copy is an error that says so', async () => {
    const from = join(root, 'large');
    await writeFile(from, Buffer.alloc(70_000_000, 1));
    const to = join(small, 'large');
    const plan = {
      directories: [],
      files: [{ from, to, bytes: 70_000_000 }],
      links: [],
      tablespaceOids: [],
      bytes: 70_000_000,
    };
    await expect(copyFiles(plan, { reflink: false })).rejects.toMatchObject({ code: 'NO_SPACE', where: to });
    await rm(to);
  });
});

test('a tablespace that appears while the copy is made ends it, and nothing is left', async () => {
  const link = join(server.instance.dataDirectory, 'pg_tblspc', '99999');
  try {
    const request = {
      id: 'moving',
      root,
      limits: fast,
      method: 'backup' as const,
      tool: 'file copy' as const,
      source: { url: server.url, role: 'primary' as const },
      progress: ({ phase }: { phase: string }) => {
        if (phase === 'ending the backup') symlinkSync('/nowhere', link);
      },
    };
    await expect(createClone(request)).rejects.toMatchObject({
      code: 'TABLESPACES_CHANGED',
      transient: true,
    });
    expect(await listClones(root)).toEqual([]);
  } finally {
    await rm(link, { force: true });
  }
});

test('WAL that the server has removed before it is copied is an error', async () => {
  const request = {
    id: 'gone',
    root,
    limits: fast,
    method: 'backup' as const,
    tool: 'file copy' as const,
    source: { url: server.url, role: 'primary' as const },
    progress: ({ phase, total }: { phase: string; total?: number }) => {
      if (phase !== 'copying WAL' || !total) return;
      // As if it had vanished: what was copied last is taken away again.
      const folder = join(root, 'clones', 'gone', 'data', 'pg_wal');
      for (const name of readdirSync(folder)) if (name.length === 24) rmSync(join(folder, name));
    },
  };
  await expect(createClone(request)).rejects.toMatchObject({ code: 'WAL_GONE', transient: true });
  expect(await listClones(root)).toEqual([]);
});
