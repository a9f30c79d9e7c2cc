import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, withConnection } from '../../../postgres/index.js';
import { startTestPostgres, type TestPostgres } from '../../../postgres/testing/index.js';
import { tpcc } from './tpcc.js';

let server: TestPostgres;
let client: pg.Client;

beforeAll(async () => {
  server = await startTestPostgres();
  client = await connect(server.url);
  await tpcc.load(server.url, { scale: 0.02 });
});
afterAll(async () => {
  await client?.end();
  await server?.stop();
});

const violated = async () =>
  (await tpcc.check(server.url)).conditions.filter(({ violations }) => violations > 0).map(({ id }) => id);

/** Asks again until the answer is as wanted; the test's own time limit ends it otherwise. */
async function until(sql: string, wanted: (count: number) => boolean): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ count: string }>(sql);
    if (wanted(Number(rows[0]!.count))) return;
  }
}
const ours = `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'otto tpcc'`;
const waiting = `${ours} AND wait_event_type = 'Lock'`;

describe('load', () => {
  it('makes the cardinalities of its scale with every key', async () => {
    const report = await tpcc.load(server.url, { scale: 0.02 });
    const rows = Object.fromEntries(report.tables.map((table) => [table.name, table.rows]));
    expect(rows).toMatchObject({
      warehouse: 1,
      district: 10,
      customer: 600,
      history: 600,
      orders: 600,
      item: 2000,
    });
    expect(rows).toMatchObject({ stock: 2000, new_order: 180 });
    const counted = await client.query(
      'SELECT count(*)::int AS lines, sum(ol_quantity)::int AS five FROM tpcc.order_line',
    );
    expect(counted.rows[0]).toEqual({ lines: rows.order_line, five: 5 * rows.order_line! });
    const keys = await client.query(
      `SELECT contype, count(*)::int AS keys FROM pg_constraint WHERE connamespace = 'tpcc'::regnamespace
          AND contype IN ('p', 'f') GROUP BY 1 ORDER BY 1`,
    );
    expect(keys.rows).toEqual([
      { contype: 'f', keys: 10 },
      { contype: 'p', keys: 8 },
    ]);
    expect(report.bytes).toBeGreaterThan(1_000_000);
  });

  it('is the same for the same seed and another for another', async () => {
    const digests = [];
    for (const [n, seed] of [1, 1, 2].entries()) {
      await client.query(`CREATE DATABASE load_${n}`);
      const url = server.urlOf(`load_${n}`);
      await tpcc.load(url, { scale: 0.005, seed });
      digests.push(
        await withConnection(url, {}, async (other) => {
          const { rows } = await other.query(
            `SELECT md5(string_agg(c::text, '' ORDER BY c_w_id, c_d_id, c_id)) AS customers,
                    (SELECT md5(string_agg(l::text, '' ORDER BY ol_d_id, ol_o_id, ol_number)) FROM tpcc.order_line l) AS lines,
                    (SELECT md5(string_agg(s::text, '' ORDER BY s_i_id)) FROM tpcc.stock s) AS stock
               FROM tpcc.customer c`,
          );
          return rows[0];
        }),
      );
    }
    expect(digests[1]).toEqual(digests[0]);
    for (const part of ['customers', 'lines', 'stock']) expect(digests[2][part]).not.toBe(digests[0][part]);
  });

  it('leaves a schema of somebody else alone', async () => {
    await client.query('CREATE DATABASE theirs');
    const url = server.urlOf('theirs');
    await withConnection(url, {}, (other) =>
      other.query('CREATE SCHEMA tpcc CREATE TABLE precious (id int)'),
    );
    await expect(tpcc.load(url, { scale: 0.005 })).rejects.toMatchObject({ code: 'SCHEMA_NOT_OURS' });
    await expect(tpcc.drop(url)).rejects.toMatchObject({ code: 'SCHEMA_NOT_OURS' });
    await withConnection(url, {}, (other) => other.query('SELECT * FROM tpcc.precious'));
  });

  it('that is aborted is not taken for a load, and the next one replaces it', async () => {
    await client.query('CREATE DATABASE aborted');
    const url = server.urlOf('aborted');
    const abort = new AbortController();
    const loading = tpcc.load(url, { scale: 0.2, signal: abort.signal, progress: () => abort.abort() });
    await expect(loading).rejects.toMatchObject({ name: 'AbortError' });
    await expect(tpcc.run(url, { seconds: 1, connections: 1 })).rejects.toMatchObject({
      code: 'BENCHMARK_NOT_LOADED',
    });
    await tpcc.load(url, { scale: 0.005 });
    expect((await tpcc.check(url)).consistent).toBe(true);
    expect(await tpcc.drop(url)).toBe(true);
    expect(await tpcc.drop(url)).toBe(false);
  });
});

describe('closed loop', () => {
  it('keeps the data consistent, holds the mix, and counts every transaction once', async () => {
    const before = await client.query<{ orders: number }>('SELECT count(*)::int AS orders FROM tpcc.orders');
    const payments = await client.query<{ rows: number }>('SELECT count(*)::int AS rows FROM tpcc.history');
    const report = await tpcc.run(server.url, { seconds: 3, connections: 4 });
    expect(report).toMatchObject({ mode: 'closed', errors: [], scale: 0.02, connections: 4 });
    const of = (type: string) => report.byType.find((entry) => entry.type === type)!;
    expect(report.byType.reduce((sum, { completed }) => sum + completed, 0)).toBe(report.completed);
    expect(report.series.reduce((sum, { completed }) => sum + completed, 0)).toBe(report.completed);
    const tolerance = 2.5 / Math.sqrt(report.completed);
    expect(Math.abs(of('new_order').completed / report.completed - 0.45)).toBeLessThan(tolerance);
    expect(Math.abs(of('payment').completed / report.completed - 0.43)).toBeLessThan(tolerance);
    for (const type of ['order_status', 'delivery', 'stock_level'])
      expect(of(type).completed).toBeGreaterThan(0);

    const after = await client.query<{ orders: number }>('SELECT count(*)::int AS orders FROM tpcc.orders');
    const committed = of('new_order').completed - of('new_order').rolledBack;
    expect(after.rows[0]!.orders - before.rows[0]!.orders).toBe(committed);
    const paid = await client.query<{ rows: number }>('SELECT count(*)::int AS rows FROM tpcc.history');
    expect(paid.rows[0]!.rows - payments.rows[0]!.rows).toBe(of('payment').completed);
    expect(await violated()).toEqual([]);
    expect(report.latencyMs.p50).toBeLessThanOrEqual(report.latencyMs.p99);
    expect(report.latencyMs.p99).toBeLessThanOrEqual(report.latencyMs.max);
  });

  it('retries serialization failures, counts them apart from errors, and stays consistent', async () => {
    const report = await tpcc.run(server.url, {
      seconds: 2,
      connections: 4,
      isolation: 'repeatable read',
      mix: { payment: 90, delivery: 10 },
    });
    expect(report.retries).toBeGreaterThan(0);
    expect(report.byType.find(({ type }) => type === 'new_order')!.completed).toBe(0);
    expect(report.completed).toBeGreaterThan(0);
    expect(await violated()).toEqual([]);
  });

  it('goes on after its connections were cut, and reports the cut', async () => {
    const running = tpcc.run(server.url, { seconds: 2, connections: 3 });
    await until(`${ours} AND state <> 'idle'`, (count) => count > 0);
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'otto tpcc'`,
    );
    const report = await running;
    expect(report.errors.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(0);
    expect(report.series.at(-1)!.completed + report.series.at(-2)!.completed).toBeGreaterThan(0);
    expect(report.warnings.join()).toMatch(/failed/);
    expect(await violated()).toEqual([]);
  });

  it('ends at once on abort, also while it waits for a lock, and leaves no connection behind', async () => {
    const locker = await connect(server.url);
    await locker.query('BEGIN');
    await locker.query('UPDATE tpcc.warehouse SET w_name = w_name');
    const abort = new AbortController();
    const running = tpcc.run(server.url, {
      seconds: 600,
      connections: 3,
      mix: { payment: 1 },
      signal: abort.signal,
    });
    await until(waiting, (count) => count === 3);
    abort.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    await until(ours, (count) => count === 0);
    await locker.end();
  });
});

describe('open loop', () => {
  it('holds the rate', async () => {
    const report = await tpcc.run(server.url, { seconds: 3, connections: 8, rate: 40, arrivals: 'constant' });
    expect(report).toMatchObject({ mode: 'open', offeredRate: 40, unserved: 0 });
    expect(report.completed).toBe(120);
    expect(report.throughput).toBeGreaterThan(38);
  });

  it('counts from the intended start: a stall shows in all that it delayed, not only in those under way', async () => {
    const locker = await connect(server.url);
    await locker.query('BEGIN');
    await locker.query('UPDATE tpcc.warehouse SET w_name = w_name');
    const running = tpcc.run(server.url, {
      seconds: 4,
      connections: 4,
      rate: 60,
      arrivals: 'constant',
      mix: { payment: 1 },
    });
    await until(waiting, (count) => count === 4);
    await locker.query('SELECT pg_sleep(1)');
    await locker.query('COMMIT');
    await locker.end();
    const report = await running;
    // Four of 240 waited for the lock itself; the sixty that fell due meanwhile waited for a connection.
    expect(report.latencyMs.max).toBeGreaterThan(900);
    expect(report.latencyMs.p99).toBeGreaterThan(800);
    expect(report.latencyMs.p95).toBeGreaterThan(500);
    expect(report.client.startDelayMs!.max).toBeGreaterThan(500);
    expect(report.warnings.join()).toMatch(/waited in the client for a free connection/);
  });

  it('tells of arrivals that it could not serve, and does not leave them out of the percentiles', async () => {
    const report = await tpcc.run(server.url, {
      seconds: 1,
      connections: 1,
      rate: 20_000,
      arrivals: 'constant',
    });
    expect(report.unserved + report.completed).toBe(20_000);
    expect(report.latencyMs.p50).toBeGreaterThan(300);
    expect(report.warnings.join()).toMatch(/not served in time/);
  });
});

describe('check', () => {
  const damages = [
    ['1', 'UPDATE tpcc.warehouse SET w_ytd = w_ytd + 0.01', 'UPDATE tpcc.warehouse SET w_ytd = w_ytd - 0.01'],
    [
      '2',
      'UPDATE tpcc.district SET d_next_o_id = d_next_o_id + 1 WHERE d_id = 3',
      'UPDATE tpcc.district SET d_next_o_id = d_next_o_id - 1 WHERE d_id = 3',
    ],
    [
      '3',
      `CREATE TABLE kept AS SELECT * FROM tpcc.new_order WHERE no_d_id = 4 ORDER BY no_o_id OFFSET 1 LIMIT 1;
       DELETE FROM tpcc.new_order USING kept k WHERE (tpcc.new_order.no_d_id, tpcc.new_order.no_o_id) = (k.no_d_id, k.no_o_id)`,
      'INSERT INTO tpcc.new_order SELECT * FROM kept; DROP TABLE kept',
    ],
    [
      '4',
      'UPDATE tpcc.orders SET o_ol_cnt = o_ol_cnt + 1 WHERE o_d_id = 5 AND o_id = 1',
      'UPDATE tpcc.orders SET o_ol_cnt = o_ol_cnt - 1 WHERE o_d_id = 5 AND o_id = 1',
    ],
  ];

  it.each(damages)('finds a row that breaks condition %s', async (condition, damage, repair) => {
    await tpcc.load(server.url, { scale: 0.01 });
    await client.query(damage!);
    const report = await tpcc.check(server.url);
    expect(report.consistent).toBe(false);
    const broken = report.conditions.filter(({ violations }) => violations > 0);
    expect(broken.map(({ id, violations }) => [id, violations])).toEqual([[condition, 1]]);
    expect(broken[0]!.samples).toHaveLength(1);
    await client.query(repair!);
    expect(await violated()).toEqual([]);
  });
});

describe('options', () => {
  it('are all checked before anything is connected to', async () => {
    const nowhere = 'postgresql://localhost:1/none';
    await expect(tpcc.run(nowhere, { seconds: 0, connections: 0, rate: -1 })).rejects.toThrow(
      /seconds.*rate.*connections/,
    );
    await expect(tpcc.run(nowhere, { seconds: 1, connections: 1, mix: 'A' })).rejects.toThrow(
      /mix must be weights/,
    );
    await expect(tpcc.load(nowhere, { scale: 1.5 })).rejects.toThrow(/scale 1.5/);
  });
});
