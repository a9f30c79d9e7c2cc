import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../../postgres/index.js';
import { startTestPostgres, type TestPostgres } from '../../../postgres/testing/index.js';
import { Random } from '../engine/random.js';
import { hash64, Keys, keyOf } from './keys.js';
import { coreWorkloads, operations } from './workloads.js';
import { ycsb } from './ycsb.js';
import { Zipfian } from './zipfian.js';

describe('distributions', () => {
  it('zipfian draws rank k in proportion to 1/k^0.99', () => {
    const n = 1000;
    const zipfian = new Zipfian();
    const random = new Random(4);
    const draws = 200_000;
    const counts = new Array<number>(n).fill(0);
    for (let i = 0; i < draws; i++) counts[zipfian.rank(n, random)]! += 1;
    const zeta = Array.from({ length: n }, (_, i) => 1 / (i + 1) ** 0.99).reduce(
      (sum, term) => sum + term,
      0,
    );
    for (const rank of [0, 1]) {
      const expected = 1 / (rank + 1) ** 0.99 / zeta;
      expect(counts[rank]! / draws / expected).toBeCloseTo(1, 1);
    }
    // The method approximates the tail; the first hundred ranks together are exact to a few per cent.
    const head = Array.from({ length: 100 }, (_, i) => 1 / (i + 1) ** 0.99).reduce(
      (sum, term) => sum + term,
      0,
    );
    const drawn = counts.slice(0, 100).reduce((sum, count) => sum + count, 0);
    expect(drawn / draws / (head / zeta)).toBeCloseTo(1, 1);
  });

  it('hashes as FNV-1a does, and keys of many records differ', () => {
    // 64-bit FNV-1a of eight zero bytes.
    expect(hash64(0)).toBe(0xa8c7f832281a39c5n);
    expect(new Set(Array.from({ length: 20_000 }, (_, n) => keyOf(n))).size).toBe(20_000);
  });

  it.each(['zipfian', 'latest', 'uniform'] as const)(
    '%s requests are only for records that exist',
    (distribution) => {
      const keys = new Keys(100, distribution);
      const random = new Random(1);
      const existing = new Set(Array.from({ length: 100 }, (_, n) => keyOf(n)));
      for (let n = 0; n < 2000; n++) {
        expect(existing).toContain(keys.draw(random));
        // Acknowledged out of order and with a gap, as several connections do.
        if (n % 100 === 0) {
          keys.acknowledge(10_000 - n);
          existing.add(keyOf(10_000 - n));
        }
      }
    },
  );

  it('latest prefers what was inserted last', () => {
    const keys = new Keys(1000, 'latest');
    keys.acknowledge(5000);
    const random = new Random(1);
    const drawn = Array.from({ length: 5000 }, () => keys.draw(random));
    expect(drawn.filter((key) => key === keyOf(5000)).length).toBeGreaterThan(400);
  });
});

describe('with a server', () => {
  let server: TestPostgres;
  let client: pg.Client;

  beforeAll(async () => {
    server = await startTestPostgres();
    client = await connect(server.url);
    const report = await ycsb.load(server.url, { scale: 2 });
    expect(report.tables).toMatchObject([{ name: 'usertable', rows: 2000 }]);
  });
  afterAll(async () => {
    await client?.end();
    await server?.stop();
  });

  it.each(Object.keys(coreWorkloads))('core workload %s has its mix and no errors', async (letter) => {
    const report = await ycsb.run(server.url, { seconds: 1, connections: 8, mix: letter });
    expect(report.errors).toEqual([]);
    expect(report.completed).toBeGreaterThan(100);
    const { mix } = coreWorkloads[letter]!;
    for (const operation of operations) {
      const { completed } = report.byType.find(({ type }) => type === operation)!;
      expect(Math.abs(completed / report.completed - mix[operation] / 100)).toBeLessThan(
        2.5 / Math.sqrt(report.completed),
      );
    }
    expect(report.warnings.join()).not.toMatch(/not there/);
  });

  it('inserts from two runs at once collide nowhere and lose nothing', async () => {
    const before = await client.query<{ rows: number }>('SELECT count(*)::int AS rows FROM ycsb.usertable');
    const mix = { insert: 50, read: 50 };
    const reports = await Promise.all([
      ycsb.run(server.url, { seconds: 1, connections: 4, mix, seed: 1 }),
      ycsb.run(server.url, { seconds: 1, connections: 4, mix, seed: 1, distribution: 'latest' }),
    ]);
    const inserted = reports.reduce(
      (sum, report) => sum + report.byType.find(({ type }) => type === 'insert')!.completed,
      0,
    );
    expect(reports.flatMap(({ errors }) => errors)).toEqual([]);
    const after = await client.query<{ rows: number }>('SELECT count(*)::int AS rows FROM ycsb.usertable');
    expect(after.rows[0]!.rows - before.rows[0]!.rows).toBe(inserted);
    expect((await ycsb.check(server.url)).consistent).toBe(true);
  });

  it('check finds lost and damaged records', async () => {
    await client.query(`UPDATE ycsb.usertable SET field3 = 'short' WHERE ycsb_key = $1`, [keyOf(7)]);
    const damaged = await ycsb.check(server.url);
    expect(damaged.conditions.map(({ id, violations }) => [id, violations])).toEqual([
      ['records', 0],
      ['fields', 1],
    ]);
    await client.query('DELETE FROM ycsb.usertable');
    expect((await ycsb.check(server.url)).conditions[0]).toMatchObject({ id: 'records', violations: 1 });
  });

  it('refuses an unknown workload', async () => {
    await expect(ycsb.run(server.url, { seconds: 1, connections: 1, mix: 'Z' })).rejects.toThrow(
      /no core workload "Z"/,
    );
  });
});
