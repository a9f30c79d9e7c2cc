import { describe, expect, it } from 'vitest';
import { btreeBloat, tableBloat } from './bloat.js';

const int = { averageBytes: 4, nullShare: 0, alignment: 4, fixedLength: true };
const pageBytes = 8192;

describe('tableBloat', () => {
  it('packs rows as the page layout asks', () => {
    // 24 bytes of header, 4 of data, aligned to 32, and a 4-byte pointer: 226 rows a page.
    const shape = { rows: 22_600, fillFactor: 100, pageBytes, columns: [int] };
    expect(tableBloat({ ...shape, pages: 100 })).toEqual({
      expectedBytes: 819_200,
      bloatBytes: 0,
      bloatShare: 0,
    });
    expect(tableBloat({ ...shape, pages: 400 }).bloatShare).toBeCloseTo(0.75);
    // Room that was asked for is not bloat.
    expect(tableBloat({ ...shape, pages: 200, fillFactor: 50 }).bloatShare).toBeCloseTo(0, 2);
  });

  it('never tells of less than none', () => {
    expect(tableBloat({ rows: 1e6, fillFactor: 100, pageBytes, columns: [int], pages: 1 }).bloatBytes).toBe(
      0,
    );
    expect(tableBloat({ rows: 0, fillFactor: 100, pageBytes, columns: [int], pages: 0 })).toEqual({
      expectedBytes: 0,
      bloatBytes: 0,
      bloatShare: 0,
    });
  });
});

describe('btreeBloat', () => {
  it('expects far less of equal keys than of different ones', () => {
    const shape = { pages: 1000, rows: 200_000, fillFactor: 90, pageBytes, columns: [int] };
    const different = btreeBloat({ ...shape, rowsPerKey: 1 }).expectedBytes;
    const equal = btreeBloat({ ...shape, rowsPerKey: 1000 }).expectedBytes;
    // 20 bytes a row against a little over 6.
    expect(different / equal).toBeGreaterThan(2.5);
    expect(different / equal).toBeLessThan(3.5);
  });
});
