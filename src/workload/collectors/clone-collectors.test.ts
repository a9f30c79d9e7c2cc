import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withDuckDb } from '../../duckdb/index.js';
import { withConnection } from '../../postgres/index.js';
import { startTestPostgres, type TestPostgres } from '../../postgres/testing/index.js';
import { eventCells, eventColumns, type WorkloadEvent } from '../event.js';
import { benchmarkCollector } from './benchmark-collector.js';
import { plansCollector } from './plans/plans-collector.js';
import { type CollectRequest, runCollector } from './run-collector.js';

let server: TestPostgres;
let outDirectory: string;

beforeAll(async () => {
  outDirectory = await mkdtemp(join(tmpdir(), 'otto-clone-collectors-'));
  server = await startTestPostgres();
  await withConnection(server.url, {}, async (client) => {
    await client.query(`CREATE TABLE item (id int PRIMARY KEY, name text, price numeric);
      INSERT INTO item SELECT n, 'item ' || n, n FROM generate_series(1, 5000) AS n`);
    await client.query('VACUUM ANALYZE item');
  });
});
afterAll(async () => {
  await server?.stop();
  await rm(outDirectory, { recursive: true, force: true });
});

const blank: WorkloadEvent = {
  session: 's1',
  line: 1,
  transaction: 1,
  startedUs: 1_750_000_000_000_000,
  durationUs: 1000,
  kind: 'select',
  protocol: 'extended',
  statementName: null,
  fingerprint: 'f',
  template: 't',
  sql: 'SELECT 1',
  parameters: [],
  preparedSql: null,
  rows: 1,
  outcome: 'ok',
  sqlstate: null,
  message: null,
  user: 'postgres',
  database: 'postgres',
  application: 'test',
  pid: 1,
  vxid: null,
  txid: null,
};

async function capture(events: Partial<WorkloadEvent>[]): Promise<string> {
  const file = join(outDirectory, 'workload.parquet');
  await withDuckDb({}, async (db) => {
    const writer = await db.writer(eventColumns);
    events.forEach((event, i) => {
      writer.append(eventCells({ ...blank, line: i, ...event }));
    });
    await writer.finish(file);
  });
  return file;
}

describe('PLANS', () => {
  const byId = { fingerprint: 'by-id', sql: 'SELECT * FROM item WHERE id = $1' };
  const events: Partial<WorkloadEvent>[] = [
    ...[1, 2, 3].map((n) => ({ ...byId, parameters: [String(n)], durationUs: n * 10_000 })),
    // The slowest of all, but failed: it stands for nothing.
    { ...byId, parameters: ['9'], durationUs: 90_000, outcome: 'error' },
    {
      fingerprint: 'by-name',
      sql: 'SELECT count(*) FROM item WHERE name > $1 AND price < $2 AND $3::text IS NULL',
      parameters: ['item 2', '4000.5', null],
    },
    { fingerprint: 'write', kind: 'update', sql: 'UPDATE item SET price = price + $1', parameters: ['7'] },
    { fingerprint: 'literal', protocol: 'simple', sql: "SELECT * FROM item WHERE name = 'item 77' -- note" },
    { fingerprint: 'slow', sql: 'SELECT pg_sleep(60)' },
    { fingerprint: 'gone', sql: 'SELECT * FROM no_such_table' },
    { fingerprint: 'elsewhere', sql: 'SELECT 1', database: 'no_such_database' },
    { fingerprint: 'unknown', sql: 'SELECT $1', parameters: null },
    { fingerprint: 'ddl', kind: 'ddl', sql: 'DROP TABLE item' },
    { fingerprint: 'two', kind: 'multi', sql: 'SELECT 1; DROP TABLE item' },
    { fingerprint: 'disguised', kind: 'select', sql: 'SELECT 1; DROP TABLE item' },
    { fingerprint: 'begin', kind: 'begin', sql: 'BEGIN' },
  ];
  const collect = async (request: Partial<CollectRequest> = {}) =>
    await runCollector(plansCollector, {
      url: server.url,
      role: 'clone',
      outDirectory,
      captureFile: await capture(events),
      ...request,
      config: { statementTimeoutMs: 300, ...(request.config as object) },
    });
  const untouched = async () => {
    const sql = 'SELECT count(*)::int AS rows, sum(price)::int AS sum FROM item';
    const { rows } = await withConnection(server.url, {}, (client) => client.query(sql));
    expect(rows).toEqual([{ rows: 5000, sum: 12_502_500 }]);
  };

  it('carries statements out on a clone with their parameters, and leaves nothing changed', async () => {
    const { result, rows, manifest } = await collect();
    expect(result.analyzed).toBe(true);
    const plan = (fingerprint: string) => result.plans.find((entry) => entry.fingerprint === fingerprint)!;
    expect(result.plans.map(({ fingerprint }) => fingerprint).sort()).toEqual([
      'by-id',
      'by-name',
      'literal',
      'write',
    ]);
    expect(rows).toBe(4);
    // The median of the calls that succeeded.
    expect(plan('by-id')).toMatchObject({ calls: 4, capturedMs: 20 });
    expect(JSON.stringify(plan('by-id').output)).toMatch(/id = 2/);
    expect(plan('by-id')).not.toHaveProperty('parameters');
    expect(plan('by-id').summary).toMatchObject({
      actualRows: 1,
      indexes: ['item_pkey'],
      sequentialScans: [],
    });
    expect(plan('by-name').summary).toMatchObject({ sequentialScans: ['item'], nodes: { 'Seq Scan': 1 } });
    expect(plan('write').summary).toMatchObject({ nodes: { ModifyTable: 1, 'Seq Scan': 1 } });
    expect(plan('write').summary.executionMs).toBeGreaterThan(0);
    expect(plan('literal').summary.sharedHitBlocks).toBeGreaterThan(0);
    expect(manifest.holdsUserData).toBe(true);

    const why = Object.fromEntries(
      result.notExplained.map(({ fingerprint, reason }) => [fingerprint, reason]),
    );
    expect(why).toMatchObject({
      slow: 'it took longer than 300 ms',
      gone: expect.stringMatching(/"no_such_table" does not exist/),
      elsewhere: expect.stringMatching(/no_such_database/),
      unknown: expect.stringMatching(/does not hold its parameters/),
      ddl: 'a statement of kind "ddl" has no plan',
      two: 'it is several statements in one text',
      disguised: expect.stringMatching(/cannot insert multiple commands/),
    });
    expect(Object.keys(why)).not.toContain('begin');
    await untouched();
  });

  it('only plans on anything but a clone', async () => {
    for (const role of ['replica', 'primary'] as const) {
      const { result } = await collect({ role });
      expect(result.analyzed).toBe(false);
      expect(result.plans.map(({ summary }) => summary.executionMs)).toEqual(result.plans.map(() => null));
      // Planned, not carried out: it does not sleep.
      expect(result.plans.map(({ fingerprint }) => fingerprint)).toContain('slow');
      expect(result.plans.map(({ fingerprint }) => fingerprint)).toContain('write');
    }
    await untouched();
  });

  it('takes as many templates and calls as asked, those with most time first', async () => {
    const { result } = await collect({
      config: { templates: 1, samplesPerTemplate: 3, includeParameters: true },
    });
    expect(result.plans.map(({ fingerprint, parameters }) => [fingerprint, parameters])).toEqual([
      ['by-id', ['1']],
      ['by-id', ['2']],
      ['by-id', ['3']],
    ]);
    expect(result.notExplained).toEqual([]);
  });

  it('needs a capture', async () => {
    await expect(collect({ captureFile: undefined })).rejects.toMatchObject({ code: 'CAPTURE_NEEDED' });
  });
});

describe('BENCHMARK', () => {
  const collect = (request: Partial<CollectRequest>) =>
    runCollector(benchmarkCollector, { url: server.url, role: 'clone', outDirectory, ...request });
  const schemas = async () => {
    const sql = `SELECT nspname::text AS name FROM pg_namespace WHERE nspname IN ('tpcc', 'ycsb')`;
    return (await withConnection(server.url, {}, (client) => client.query<{ name: string }>(sql))).rows;
  };

  it('loads, runs and checks on a clone, and takes its data away again', async () => {
    const { result, manifest } = await collect({
      config: { benchmark: 'tpcc', scale: 0.01, seconds: 1, connections: 2, rate: 30 },
    });
    expect(result.load!.tables).toHaveLength(9);
    expect(result.report).toMatchObject({ mode: 'open', offeredRate: 30, errors: [] });
    expect(result.report.completed).toBeGreaterThan(0);
    expect(result.consistency!.consistent).toBe(true);
    expect(manifest.holdsUserData).toBe(false);
    expect(await schemas()).toEqual([]);
  });

  it('refuses a primary and a replica', async () => {
    for (const role of ['primary', 'replica'] as const) {
      await expect(collect({ role })).rejects.toMatchObject({ code: 'COLLECTOR_ROLE' });
    }
    expect(await schemas()).toEqual([]);
  });

  it('takes its data away also when it is aborted', async () => {
    const abort = new AbortController();
    const collecting = collect({
      config: { benchmark: 'ycsb', scale: 1, seconds: 600, connections: 2 },
      signal: abort.signal,
      progress: ({ phase }) => {
        if (phase === 'running') abort.abort();
      },
    });
    await expect(collecting).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await schemas()).toEqual([]);
  });
});
