import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DuckDb, withDuckDb } from './index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "otto duck's "));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const columns = {
  name: 'text',
  small: 'integer',
  big: 'bigint',
  ratio: 'double',
  yes: 'boolean',
  moment: 'timestamp',
  words: 'text list',
} as const;

describe('Parquet', () => {
  it('gives back what was written, with nulls, order and microseconds', async () => {
    const file = join(folder, 'all.parquet');
    await withDuckDb({}, async (db) => {
      const writer = await db.writer(columns);
      writer.append(['b', 2, 2 ** 52, 0.5, true, 1_700_000_000_123_456, ["it's", null, '']]);
      writer.append(['a 😀\n', null, null, null, null, null, null]);
      writer.append(['c', 1, -1, -2.5, false, 0, []]);
      await writer.finish(file, { orderBy: ['name'] });
    });
    const rows = await withDuckDb({}, (db) =>
      db.query('SELECT *, epoch_us(moment) AS us FROM read_parquet($1) WHERE name <> $2', [file, 'c']),
    );
    expect(rows).toEqual([
      { name: 'a 😀\n', small: null, big: null, ratio: null, yes: null, moment: null, words: null, us: null },
      {
        name: 'b',
        small: 2,
        big: 2 ** 52,
        ratio: 0.5,
        yes: true,
        moment: new Date(1_700_000_000_123),
        words: ["it's", null, ''],
        us: 1_700_000_000_123_456,
      },
    ]);
  });

  it('leaves no file behind when it cannot finish', async () => {
    await withDuckDb({}, async (db) => {
      const writer = await db.writer({ n: 'bigint' });
      writer.append([1]);
      await expect(writer.finish(join(folder, 'missing', 'x.parquet'))).rejects.toMatchObject({
        name: 'OttoError',
      });
      const cancelled = await db.writer({ n: 'bigint' });
      const signal = AbortSignal.abort(new Error('stop'));
      await expect(cancelled.finish(join(folder, 'c.parquet'), { signal })).rejects.toMatchObject({
        code: 'CANCELLED',
      });
    });
    expect((await readdir(folder)).filter((name) => name !== 'all.parquet')).toEqual([]);
  });

  it('spills above its memory limit instead of failing', async () => {
    const spillDirectory = join(folder, 'spill');
    const file = join(folder, 'large.parquet');
    const rows = 350_000;
    await withDuckDb({ memoryBytes: 128 * 1024 * 1024, spillDirectory }, async (db) => {
      const writer = await db.writer({ n: 'bigint', text: 'text' });
      for (let i = 0; i < rows; i++)
        writer.append([rows - i, `${i}-${'x'.repeat(500)}-${Math.imul(i, 2654435761)}`]);
      await writer.finish(file, { orderBy: ['n'] });
      const [found] = await db.query('SELECT count(*) AS c, sum(n) AS s FROM read_parquet($1)', [file]);
      expect(found).toEqual({ c: rows, s: (rows * (rows + 1)) / 2 });
    });
    await rm(file);
    await rm(spillDirectory, { recursive: true, force: true });
  });
});

describe('queries', () => {
  it('stops when the signal aborts, and the engine can still be used', async () => {
    const db = await DuckDb.open();
    try {
      const controller = new AbortController();
      const long = db.query(
        'SELECT count(*) FROM range(1e7::BIGINT) a, range(1e7::BIGINT) b WHERE a.range % 7 = b.range % 5',
        [],
        {
          signal: controller.signal,
        },
      );
      setTimeout(() => controller.abort(), 50);
      await expect(long).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      db.close();
    }
  });

  it('does not reach for extensions', async () => {
    await withDuckDb({}, async (db) => {
      await expect(
        db.query("SELECT * FROM read_parquet('https://localhost:1/x.parquet')"),
      ).rejects.toMatchObject({
        code: 'DUCKDB_FAILED',
      });
    });
  });
});
