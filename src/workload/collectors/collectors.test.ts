import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { connect, findInstallations, withConnection } from '../../postgres/index.js';
import { startReplica, startTestPostgres, type TestPostgres } from '../../postgres/testing/index.js';
import { catalogCollector } from './catalog/catalog-collector.js';
import type { DataCollector } from './collector.js';
import { metricsCollector } from './metrics/metrics-collector.js';
import { type CollectRequest, runCollector } from './run-collector.js';
import { settingsCollector } from './settings-collector.js';
import { statisticsCollector } from './statistics/statistics-collector.js';

const majors = [...new Set((await findInstallations()).map(({ major }) => major))];

let outDirectory: string;
beforeAll(async () => {
  outDirectory = await mkdtemp(join(tmpdir(), 'otto-collectors-'));
});
afterAll(async () => {
  await rm(outDirectory, { recursive: true, force: true });
});

const collect = <Config, Result, State>(
  collector: DataCollector<Config, Result, State>,
  url: string,
  request: Partial<CollectRequest> = {},
) => runCollector(collector, { url, role: 'clone', outDirectory, ...request });

const schema = `
  CREATE SCHEMA shop;
  CREATE TABLE shop.customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text COLLATE "C" NOT NULL UNIQUE, city text,
    shout text GENERATED ALWAYS AS (upper(city)) STORED, dropped int, CHECK (email LIKE '%@%'));
  ALTER TABLE shop.customer DROP COLUMN dropped;
  COMMENT ON COLUMN shop.customer.city IS 'where';
  CREATE INDEX "By City" ON shop.customer (lower(city), id) INCLUDE (email) WHERE city IS NOT NULL;
  CREATE TABLE shop.orders (id int, customer bigint REFERENCES shop.customer, at date) PARTITION BY RANGE (at);
  CREATE TABLE shop.orders_2025 PARTITION OF shop.orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  CREATE VIEW shop.cities AS SELECT DISTINCT city FROM shop.customer;
  CREATE MATERIALIZED VIEW shop.counts AS SELECT count(*) FROM shop.customer;
  CREATE FOREIGN DATA WRAPPER nowhere;
  CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
  CREATE FOREIGN TABLE shop.elsewhere (a int) SERVER far;
  CREATE UNLOGGED TABLE scratch (a int) WITH (fillfactor = 70);
  CREATE TEMPORARY TABLE passing (a int);`;

describe.each(majors)('on PostgreSQL %i', (major) => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startTestPostgres({
      major,
      settings: {
        shared_preload_libraries: 'pg_stat_statements',
        primary_conninfo: 'host=far user=repl password=hunter2',
        track_functions: 'all',
      },
    });
    await withConnection(server.url, {}, async (client) => {
      await client.query(schema);
      await client.query('CREATE EXTENSION pg_stat_statements');
      await client.query('CREATE EXTENSION pgstattuple');
      await client.query(
        `CREATE ROLE plain LOGIN; ALTER ROLE plain IN DATABASE postgres SET work_mem = '5MB'`,
      );
      await client.query(`ALTER ROLE ALL SET lock_timeout = '9s'`);
      await client.query('CREATE DATABASE second');
    });
    await withConnection(server.urlOf('second'), {}, (client) =>
      client.query('CREATE TABLE only_here (a int)'),
    );
  });
  afterAll(() => server?.stop());

  it('CATALOG: every relation of every database with its definitions', async () => {
    const { result, rows, manifest } = await collect(catalogCollector, server.url, {
      config: { dummy: 'x' },
    });
    expect(result.databases.map(({ name }) => name)).toEqual(['postgres', 'second']);
    expect(result.databases[1]!.relations.map(({ schema: s, name }) => `${s}.${name}`)).toEqual([
      'public.only_here',
    ]);
    const { relations, schemas, extensions } = result.databases[0]!;
    expect(schemas.map(({ name }) => name)).toEqual(['public', 'shop']);
    expect(extensions.map(({ name }) => name)).toContain('pg_stat_statements');
    expect(rows).toBe(relations.length + 1);
    expect(manifest).toMatchObject({
      holdsUserData: false,
      server: { major, isStandby: false, database: 'postgres' },
    });
    const of = (name: string) => relations.find((relation) => relation.name === name)!;
    expect(relations.map(({ name }) => name)).not.toContain('passing');

    const customer = of('customer');
    expect(customer).toMatchObject({
      kind: 'table',
      schema: 'shop',
      owner: 'postgres',
      persistence: 'permanent',
    });
    expect(customer.columns).toMatchObject([
      { name: 'id', position: 1, type: 'bigint', notNull: true, identity: 'always' },
      { name: 'email', type: 'text', collation: 'C', generated: false },
      { name: 'city', comment: 'where', notNull: false, default: null },
      { name: 'shout', generated: true, default: 'upper(city)' },
    ]);
    expect(customer.indexes.find(({ name }) => name === 'By City')).toMatchObject({
      definition: expect.stringMatching(
        /^CREATE INDEX "By City" ON shop.customer USING btree \(lower\(city\), id\) INCLUDE/,
      ),
      columns: [null, 'id', 'email'],
      keyColumns: 2,
      unique: false,
      valid: true,
      predicate: '(city IS NOT NULL)',
      constraint: null,
    });
    expect(customer.indexes.find(({ primary }) => primary)).toMatchObject({
      constraint: 'customer_pkey',
      unique: true,
    });
    expect(
      customer.constraints
        .map(({ type }) => type)
        .filter((type) => type !== 'not null')
        .sort(),
    ).toEqual(['check', 'primary key', 'unique']);
    expect(of('orders')).toMatchObject({ kind: 'partitioned table', partitionKey: 'RANGE (at)' });
    expect(of('orders').constraints.find(({ type }) => type === 'foreign key')).toMatchObject({
      references: 'shop.customer',
    });
    expect(of('orders_2025')).toMatchObject({
      parents: ['shop.orders'],
      partitionBound: expect.stringMatching(/FROM \('2025-01-01'\)/),
    });
    expect(of('elsewhere')).toMatchObject({ kind: 'foreign table', foreignServer: 'far' });
    expect(of('counts').kind).toBe('materialized view');
    expect(of('cities').viewDefinition).toMatch(/SELECT DISTINCT/);
    expect(of('scratch')).toMatchObject({ persistence: 'unlogged', options: ['fillfactor=70'] });
    expect(of('pg_stat_statements').extension).toBe('pg_stat_statements');
  });

  it('CATALOG: only the databases asked for; a table locked by others costs its sizes only', async () => {
    await expect(collect(catalogCollector, server.url, { config: { databases: ['gone'] } })).rejects.toThrow(
      /no database gone/,
    );
    await withConnection(server.urlOf('second'), {}, async (locker) => {
      await locker.query('BEGIN');
      await locker.query('LOCK TABLE only_here');
      const { result, manifest } = await collect(catalogCollector, server.url, {
        config: { databases: ['second'] },
      });
      expect(result.databases[0]!.relations).toMatchObject([{ name: 'only_here', totalBytes: null }]);
      expect(manifest.warnings.join()).toMatch(/sizes are left out/);
    });
  });

  it('SETTINGS: values with their sources, passwords masked, and what a plain role may not see', async () => {
    const { result } = await collect(settingsCollector, server.url, { role: 'primary' });
    const of = (name: string) => result.settings.find((setting) => setting.name === name)!;
    expect(of('shared_buffers')).toMatchObject({ value: '4096', unit: '8kB', context: 'postmaster' });
    expect(of('primary_conninfo').value).toBe('host=far user=repl password=***');
    expect(JSON.stringify(result)).not.toMatch(/hunter2/);
    expect(result.files!.length).toBeGreaterThan(0);
    expect(result.databaseAndRole).toEqual(
      expect.arrayContaining([
        { database: 'postgres', role: 'plain', name: 'work_mem', value: '5MB' },
        { database: null, role: null, name: 'lock_timeout', value: '9s' },
      ]),
    );

    const plain = await collect(settingsCollector, server.url.replace('postgres@', 'plain@'));
    expect(plain.result.files).toBeNull();
    expect(plain.result.missing).toEqual([{ what: 'files', why: expect.stringMatching(/may not read/) }]);
    expect(plain.manifest.warnings).toHaveLength(1);
  });

  it('STATISTICS: estimated bloat agrees with what pgstattuple measures', async () => {
    const measured = await withConnection(server.url, {}, async (client) => {
      await client.query(`
        CREATE TABLE bloated (id int PRIMARY KEY, name text, at timestamptz, flag boolean, note text, kind int) WITH (autovacuum_enabled = off);
        INSERT INTO bloated SELECT n, 'name ' || n, now(), n % 3 = 0, CASE WHEN n % 4 = 0 THEN repeat('x', n % 90) END, n % 20
          FROM generate_series(1, 60000) AS n;
        CREATE INDEX by_kind ON bloated (kind);
        CREATE INDEX by_expression ON bloated ((id + kind));
        CREATE TABLE packed (id int, name text);
        INSERT INTO packed SELECT n, 'name ' || n FROM generate_series(1, 30000) AS n;
        CREATE INDEX packed_by_name ON packed (name);
        DELETE FROM bloated WHERE id % 2 = 0`);
      await client.query('VACUUM ANALYZE bloated');
      await client.query('VACUUM ANALYZE packed');
      await client.query('SELECT * FROM bloated WHERE id = 7');
      const { rows } = await client.query<{ free: number; density: number }>(
        `SELECT free_percent / 100 AS free, (SELECT avg_leaf_density FROM pgstatindex('bloated_pkey')) AS density
           FROM pgstattuple('bloated')`,
      );
      return rows[0]!;
    });
    const { result } = await collect(statisticsCollector, server.url);
    const table = (name: string) => result.tables.find((entry) => entry.name === name)!;
    const index = (name: string) => result.indexes.find((entry) => entry.name === name)!;
    expect(table('bloated').bloat!.bloatShare).toBeGreaterThan(measured.free - 0.06);
    expect(table('bloated').bloat!.bloatShare).toBeLessThan(measured.free + 0.06);
    expect(table('packed').bloat!.bloatShare).toBeLessThan(0.03);
    // A fresh index is filled to 90 %: what is below that is bloat.
    expect(index('bloated_pkey').bloat!.bloatShare).toBeCloseTo(1 - measured.density / 90, 1);
    expect(index('by_kind').bloat!.bloatShare).toBeGreaterThan(0.3);
    expect(index('by_expression').bloat!.bloatShare).toBeGreaterThan(0.3);
    expect(index('packed_by_name').bloat!.bloatShare).toBeLessThan(0.06);
    expect(table('bloated')).toMatchObject({
      rowsEstimate: 30_000,
      rowsDeleted: 30_000,
      lastVacuum: expect.any(String),
    });
    expect(table('bloated').totalBytes).toBe(
      table('bloated').heapBytes + table('bloated').toastBytes + table('bloated').indexBytes,
    );
    expect(index('bloated_pkey').scans).toBeGreaterThan(0);
    expect(table('customer').bloatUnknown).toMatch(/never vacuumed|no statistics/);
    expect(result.bloatSource).toMatch(/pgsql-bloat-estimation/);
  });

  it('STATISTICS: values out of the tables only when asked for', async () => {
    const { result, manifest } = await collect(statisticsCollector, server.url);
    const kind = result.columns.find(({ table, column }) => table === 'bloated' && column === 'kind')!;
    expect(kind).toMatchObject({ nullShare: 0, averageBytes: 4, commonValues: 10 });
    expect(kind.commonShare).toBeCloseTo(1, 1);
    expect(kind).not.toHaveProperty('mostCommonValues');
    expect(manifest.holdsUserData).toBe(false);
    const asked = await collect(statisticsCollector, server.url, { config: { includeValues: true } });
    const values = asked.result.columns.find(
      ({ table, column }) => table === 'bloated' && column === 'kind',
    )!;
    expect(values.mostCommonValues).toMatch(/^\{\d+(,\d+)+\}$/);
    expect(asked.manifest.holdsUserData).toBe(true);
  });

  it('METRICS: rates of what happens between the samples, and every view of the version', async () => {
    let work: Promise<unknown> = Promise.resolve();
    const { result } = await collect(metricsCollector, server.url, {
      config: { intervalSeconds: 1 },
      progress: ({ phase }) => {
        if (phase !== 'waiting') return;
        // Statistics of a session are handed over when it ends.
        work = withConnection(server.url, {}, (client) =>
          client.query('INSERT INTO packed SELECT n, n::text FROM generate_series(1, 500) AS n'),
        );
      },
    });
    await work;
    type View = z.infer<(typeof metricsCollector)['result']>['views'][number];
    const view = (name: string): View | undefined => result.views.find((entry) => entry.name === name);
    const packed = view('pg_stat_user_tables')!.rows.find(({ key }) => key.relname === 'packed')!;
    expect(packed.ratesPerSecond.n_tup_ins! * result.intervalSeconds).toBeCloseTo(500);
    expect(packed.ratesPerSecond).not.toHaveProperty('n_live_tup');
    expect(view('pg_stat_user_tables')!.columns).toMatchObject({
      n_live_tup: 'gauge',
      n_tup_ins: 'counter',
      relid: 'label',
    });
    const statement = view('pg_stat_statements')!;
    expect(statement.columns).toMatchObject({ calls: 'counter', mean_exec_time: 'gauge', queryid: 'label' });
    expect(statement.columns).not.toHaveProperty('query');
    for (const name of [
      'pg_stat_database',
      'pg_stat_bgwriter',
      'pg_stat_wal',
      'pg_stat_slru',
      'pg_stat_archiver',
    ]) {
      expect(view(name)!.rows.length).toBeGreaterThan(0);
    }
    expect(view('pg_stat_io') !== undefined).toBe(major >= 16);
    expect(view('pg_stat_checkpointer') !== undefined).toBe(major >= 17);
    if (major < 17)
      expect(result.missing).toContainEqual({
        view: 'pg_stat_checkpointer',
        why: expect.stringMatching(/version/),
      });
  });

  it('METRICS: notices a reset', async () => {
    let reset: Promise<unknown> = Promise.resolve();
    const { result, manifest } = await collect(metricsCollector, server.url, {
      config: { intervalSeconds: 0.5 },
      progress: ({ phase }) => {
        if (phase !== 'waiting') return;
        reset = withConnection(server.url, {}, (client) => client.query('SELECT pg_stat_reset()'));
      },
    });
    await reset;
    const rows = result.views.find(({ name }) => name === 'pg_stat_database')!.rows;
    expect(rows.find(({ key }) => key.datname === 'postgres')).toMatchObject({
      reset: true,
      ratesPerSecond: {},
    });
    expect(rows.find(({ key }) => key.datname === 'second')).toMatchObject({ reset: false });
    expect(manifest.warnings.join()).toMatch(/pg_stat_database: the counters of 1 rows were reset/);
  });

  it('METRICS: every number of every view is what it is said to be', async () => {
    const { result } = await collect(metricsCollector, server.url, { config: { intervalSeconds: 0 } });
    // Whoever meets a version with new columns decides what they are.
    const counters = Object.fromEntries(
      result.views.map(({ name, columns }) => [
        name,
        Object.keys(columns).filter((key) => columns[key] === 'counter'),
      ]),
    );
    const suspicious =
      /^(min|max|mean|stddev)_|_lag$|lsn|pid$|oid$|^n_(live|dead)|backends|_age$|distance|depth|_id$/;
    expect(
      Object.values(counters)
        .flat()
        .filter((name) => suspicious.test(name)),
    ).toEqual([]);
  });

  it('ends a statement that is under way on abort', async () => {
    const abort = new AbortController();
    const watcher = await connect(server.url);
    await withConnection(server.urlOf('second'), {}, async (locker) => {
      await locker.query('BEGIN');
      await locker.query('LOCK TABLE only_here');
      const collecting = collect(statisticsCollector, server.urlOf('second'), { signal: abort.signal });
      const cancelled = expect(collecting).rejects.toMatchObject({ code: 'CANCELLED' });
      const waiting = async () => {
        const { rows } = await watcher.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM pg_stat_activity
            WHERE application_name = 'otto collect' AND wait_event_type = 'Lock'`,
        );
        return rows[0]!.n;
      };
      while ((await waiting()) === 0);
      abort.abort();
      await cancelled;
      expect(await waiting()).toBe(0);
    });
    await watcher.end();
  });

  it('STATISTICS: takes the planner’s page counts where a table is locked against being measured', async () => {
    await withConnection(server.urlOf('second'), {}, async (locker) => {
      await locker.query('INSERT INTO only_here SELECT generate_series(1, 1000)');
      await locker.query('CREATE INDEX on_it ON only_here (a)');
      await locker.query('VACUUM ANALYZE only_here');
      await locker.query('BEGIN');
      await locker.query('LOCK TABLE only_here');
      const { result, manifest } = await collect(statisticsCollector, server.urlOf('second'));
      expect(result.tables).toMatchObject([{ name: 'only_here', heapBytes: 40_960, indexBytes: 40_960 }]);
      expect(result.indexes).toMatchObject([{ name: 'on_it', sizeBytes: 40_960 }]);
      expect(manifest.warnings.join()).toMatch(/page counts of the last VACUUM or ANALYZE/);
    });
  });
});

describe('on a standby', () => {
  it('CATALOG, SETTINGS, STATISTICS and METRICS work', async () => {
    const primary = await startTestPostgres();
    let replica: TestPostgres | undefined;
    try {
      await withConnection(primary.url, {}, (client) =>
        client.query('CREATE TABLE kept (id int PRIMARY KEY)'),
      );
      replica = await startReplica(primary);
      const on = { role: 'replica' as const };
      const catalog = await collect(catalogCollector, replica.url, on);
      expect(catalog.manifest).toMatchObject({ role: 'replica', server: { isStandby: true } });
      expect(catalog.result.databases[0]!.relations).toMatchObject([
        { name: 'kept', columns: [{ name: 'id' }] },
      ]);
      const statistics = await collect(statisticsCollector, replica.url, on);
      expect(statistics.result.tables).toMatchObject([{ name: 'kept' }]);
      await collect(settingsCollector, replica.url, on);
      const metrics = await collect(metricsCollector, replica.url, { ...on, config: { intervalSeconds: 0 } });
      expect(metrics.result.views.find(({ name }) => name === 'pg_stat_wal_receiver')!.rows).toHaveLength(1);
      const sending = await collect(metricsCollector, primary.url, {
        role: 'primary',
        config: { intervalSeconds: 0 },
      });
      expect(sending.result.views.find(({ name }) => name === 'pg_stat_replication')!.rows).toHaveLength(1);
    } finally {
      await replica?.stop();
      await primary.stop();
    }
  });
});
