import { readFile, readlink, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect, withConnection } from '../connect.js';
import { findInstallations } from '../installations.js';
import { runningPostmaster } from '../postmaster.js';
import { serverAccount } from '../run-as.js';
import { startReplica, startTestPostgres, type TestPostgres, testFolder } from '../testing/index.js';
import { checkTransfers, startTransfers, type Transfers } from '../testing/transfers.js';
import { connectionUrl } from '../url.js';
import { createClone, dropClone, listClones } from './index.js';
import type { CloneRequest } from './types.js';

const installations = await findInstallations();
const majors = [...new Set(installations.map(({ major }) => major))].filter(
  (major) => major === 15 || major === 18,
);

describe.each(majors)('PostgreSQL %i', (major) => {
  const hasTool = installations.some((found) => found.major >= major && found.tools.pg_basebackup);
  const tools = hasTool ? (['file copy', 'pg_basebackup'] as const) : (['file copy'] as const);
  const best = tools.slice(-1);
  let root: string;
  let primary: TestPostgres;
  let replica: TestPostgres;
  let transfers: Transfers;
  let next = 1;
  const from = (role: 'primary' | 'replica', more: Partial<CloneRequest> = {}): CloneRequest => ({
    id: `clone_${next++}`,
    root,
    source: { url: (role === 'primary' ? primary : replica).url, role },
    method: 'backup',
    // Syncing many small files is slow, and nothing here outlives the machine.
    limits: { settings: { fsync: 'off' } },
    ...more,
  });

  beforeAll(async () => {
    root = await testFolder();
    primary = await startTestPostgres({
      major,
      settings: {
        archive_mode: 'on',
        archive_command: 'true',
        cluster_name: 'production',
        max_connections: '60',
        max_prepared_transactions: '5',
        random_page_cost: '1.75',
        shared_preload_libraries: 'pg_stat_statements',
        log_min_duration_statement: '0',
        wal_keep_size: '256MB',
      },
    });
    const client = await connect(primary.url);
    await client.query("create role reader login password 'reads'");
    await client.query('create unlogged table scratch as select generate_series(1, 1000) as i');
    await client.query(
      'create table padding as select i, repeat(md5(i::text), 20) as text from generate_series(1, 30000) i',
    );
    await client.end();
    replica = await startReplica(primary, { settings: { archive_mode: 'off' } });
    transfers = await startTransfers(primary.url);
    await transfers.more(50);
  });
  afterAll(async () => {
    await transfers?.stop();
    await replica?.stop();
    await primary?.stop();
    await rm(root, { recursive: true, force: true });
  });

  // Also after a failure: no server may be left behind.
  afterEach(async () => {
    for (const { id } of await listClones(root)) await dropClone(root, id);
  });

  const cases = (['primary', 'replica'] as const).flatMap((role) =>
    tools.map((tool) => [role, tool] as const),
  );
  test.each(cases)('from a %s by %s, while it is written: consistent, and writable', async (role, tool) => {
    const before = transfers.committed();
    const phases = new Set<string>();
    const clone = await createClone(from(role, { tool, progress: ({ phase }) => phases.add(phase) }));
    expect(transfers.committed()).toBeGreaterThan(before);
    expect(['file copy', 'reflink', 'pg_basebackup']).toContain(clone.tool);
    expect(clone).toMatchObject({
      method: 'backup',
      version: expect.stringMatching(new RegExp(`^${major}\\.`)),
      lsn: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/),
    });
    expect(clone.bytes).toBeGreaterThan(20_000_000);
    expect([...phases]).toEqual(expect.arrayContaining(['copying', 'recovering']));
    const url = connectionUrl(clone.connection);
    const { moves, findings } = await checkTransfers(url);
    expect(findings).toEqual([]);
    // A standby may lag, but not behind what it had when the test began.
    expect(moves).toBeGreaterThanOrEqual(role === 'primary' ? before : 50);
    await withConnection(url, {}, async (client) => {
      await client.query('insert into scratch values (1)');
      expect((await client.query('select count(*)::int as n from scratch')).rows).toEqual([{ n: 1 }]);
      await client.query('delete from moves');
      await client.query('checkpoint');
    });
    const running = (await runningPostmaster(clone.dataDirectory))!;
    expect(await dropClone(root, (await listClones(root))[0]!.id)).toMatchObject({
      freedBytes: expect.any(Number),
    });
    expect(await runningPostmaster(clone.dataDirectory)).toBeUndefined();
    expect(running.pid).not.toBe(primary.instance.pid);
    expect(await listClones(root)).toEqual([]);
    expect((await checkTransfersLater()).findings).toEqual([]);
  });

  /** The source itself must not have noticed. */
  async function checkTransfersLater() {
    const { rows } = await withConnection(primary.url, {}, (client) =>
      client.query('select (select sum(amount) from debit) + (select sum(amount) from credit) as sum'),
    );
    return { findings: Number(rows[0].sum) === 100_000 ? [] : ['the source has changed'] };
  }

  test('the copy keeps to itself: no archive, no replication, own name, closed to strangers', async () => {
    const clone = await createClone(
      from('replica', { limits: { maxConnections: 7, settings: { work_mem: '9MB' } } }),
    );
    const settings = await withConnection(connectionUrl(clone.connection), {}, async (client) => {
      const { rows } = await client.query<{ name: string; setting: string }>(
        'select name, setting from pg_settings',
      );
      return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
    });
    expect(settings).toMatchObject({
      archive_mode: 'off',
      archive_command: expect.not.stringContaining('true'),
      cluster_name: expect.stringMatching(/^otto_clone_/),
      primary_conninfo: '',
      listen_addresses: '127.0.0.1',
      max_connections: '7',
      work_mem: '9216',
      random_page_cost: '1.75',
      shared_preload_libraries: 'pg_stat_statements',
      max_logical_replication_workers: '0',
      log_min_duration_statement: '-1',
      fsync: 'on',
    });
    const { socketDirectory, ...tcp } = clone.connection;
    expect((await stat(socketDirectory!)).mode & 0o777).toBe(0o700);
    await expect(connect(connectionUrl(tcp))).rejects.toMatchObject({ code: 'AUTH_FAILED' });
    await withConnection(
      connectionUrl({ ...tcp, user: 'reader' }).replace('reader@', 'reader:reads@'),
      {},
      (client) => client.query('select 1'),
    );
    const account = await serverAccount();
    if (account) expect((await stat(clone.dataDirectory)).uid).toBe(account.uid);
    await dropClone(root, (await listClones(root))[0]!.id);
  });

  test('several at once have ports and folders of their own', async () => {
    const clones = await Promise.all([
      createClone(from('primary')),
      createClone(from('replica', { tool: 'file copy' })),
    ]);
    expect(new Set(clones.map(({ connection }) => connection.port)).size).toBe(2);
    expect(await listClones(root)).toMatchObject([{ running: true }, { running: true }]);
    for (const { id } of await listClones(root)) await dropClone(root, id);
  });

  test.each(best)('an abort during %s leaves nothing', async (tool) => {
    const controller = new AbortController();
    const request = from('primary', {
      tool,
      signal: controller.signal,
      progress: ({ phase, done }) => {
        if (phase === 'copying' && (done ?? 0) > 0) controller.abort();
      },
    });
    await expect(createClone(request)).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await listClones(root)).toEqual([]);
    await expect(stat(join(root, 'clones', request.id))).rejects.toMatchObject({ code: 'ENOENT' });
    // The backup at the source ends with its connection.
    await expectNoSlots();
  });

  async function expectNoSlots(): Promise<void> {
    await withConnection(primary.url, {}, async (client) => {
      for (let tries = 0; tries < 200; tries += 1) {
        const { rows } = await client.query('select 1 from pg_replication_slots');
        if (rows.length === 0) return;
        await client.query('select pg_sleep(0.01)');
      }
      throw new Error('a replication slot was left');
    });
  }

  test.each(best)(
    'tablespaces are copied by %s into the clone, and the originals are left alone',
    async (tool) => {
      const other = await startTestPostgres({ major });
      const location = join(root, `space-${next}`);
      try {
        const account = await serverAccount();
        const { mkdir, chown } = await import('node:fs/promises');
        await mkdir(location, { mode: 0o700 });
        if (account) await chown(location, account.uid, account.gid);
        const client = await connect(other.url);
        await client.query(`create tablespace fast location '${location}'`);
        await client.query('create table placed tablespace fast as select generate_series(1, 1000) as i');
        const { rows } = await client.query("select oid from pg_tablespace where spcname = 'fast'");
        const clone = await createClone({
          ...from('primary', { tool }),
          source: { url: other.url, role: 'primary' },
        });
        const { id } = (await listClones(root))[0]!;
        const link = await readlink(join(clone.dataDirectory, 'pg_tblspc', String(rows[0].oid)));
        expect(link.startsWith(join(root, 'clones', id))).toBe(true);
        await withConnection(connectionUrl(clone.connection), {}, async (copy) => {
          expect((await copy.query('select count(*)::int as n from placed')).rows).toEqual([{ n: 1000 }]);
          await copy.query('delete from placed');
          await copy.query('checkpoint');
          await copy.query('drop table placed');
        });
        await dropClone(root, id);
        await client.query('checkpoint');
        expect((await client.query('select count(*)::int as n from placed')).rows).toEqual([{ n: 1000 }]);
        await client.end();
      } finally {
        await other.stop();
        await rm(location, { recursive: true, force: true });
      }
    },
  );
});

test('limits are enforced by the system where it can, and the rest is said', async () => {
  const root = await testFolder();
  try {
    const memoryBytes = 700 * 1024 * 1024;
    const clone = await createClone({
      id: 'small',
      root,
      method: 'empty',
      limits: { memoryBytes, cpuCores: 1 },
    });
    const { pid } = (await runningPostmaster(clone.dataDirectory))!;
    if (process.platform === 'linux') {
      expect(await readFile(`/proc/${pid}/status`, 'utf8')).toMatch(/Cpus_allowed_list:\t\d+\n/);
      expect(await readFile(`/proc/${pid}/limits`, 'utf8')).toMatch(
        new RegExp(`Max address space +${memoryBytes}`),
      );
      expect(clone.why).toMatch(/for each process; the sum over all processes is not/);
    }
    await dropClone(root, 'small');
    await expect(
      createClone({ id: 'none', root, method: 'empty', limits: { memoryBytes: 1 } }),
    ).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(await listClones(root)).toEqual([]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
