import { describe, expect, it } from 'vitest';
import { Random } from '../engine/random.js';
import { dimensions, expectedRows } from './dimensions.js';
import { Draws, lastName, loadConstants, nonUniform, runConstants } from './fields.js';
import { drawNewOrder, otherWarehouse } from './new-order.js';

describe('last names', () => {
  it('are made of syllables as in clause 4.3.2.3', () => {
    expect(lastName(371)).toBe('PRICALLYOUGHT');
    expect(lastName(40)).toBe('BARPRESBAR');
    expect(lastName(999)).toBe('EINGEINGEING');
  });
});

describe('dimensions', () => {
  it('are those of the specification from scale 1', () => {
    expect(dimensions(2)).toMatchObject({
      warehouses: 2,
      items: 100_000,
      customersPerDistrict: 3000,
      lastNames: 1000,
    });
    expect(dimensions(1).customersPerDistrict - dimensions(1).deliveredPerDistrict).toBe(900);
    expect(expectedRows(dimensions(1))).toBe(100_000 + 1 + 10 + 100_000 + 30_000 * 13 + 9000);
  });

  it('shrink below 1 and refuse what is neither', () => {
    expect(dimensions(0.1)).toMatchObject({
      warehouses: 1,
      items: 10_000,
      customersPerDistrict: 300,
      lastNames: 300,
    });
    for (const scale of [0, -1, 1.5, 0.001, Number.NaN, 20_000])
      expect(() => dimensions(scale)).toThrow(/scale/);
  });
});

describe('skewed draws', () => {
  it('stay in range and are skewed as NURand is', () => {
    const random = new Random(5);
    const counts = new Map<number, number>();
    for (let n = 0; n < 100_000; n++) {
      const value = nonUniform(random, 1023, 1, 3000, 259);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect(Math.min(...counts.keys())).toBeGreaterThanOrEqual(1);
    expect(Math.max(...counts.keys())).toBeLessThanOrEqual(3000);
    const hottest = [...counts.values()].sort((a, b) => b - a).slice(0, 300);
    // The hottest tenth would have a tenth of uniform draws.
    expect(hottest.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(25_000);
  });

  it('keep C of the run away from that of the load as clause 2.1.6.1 asks', () => {
    for (let seed = 0; seed < 500; seed++) {
      const load = loadConstants(new Random(seed));
      const delta = Math.abs(runConstants(new Random(seed, 1), load).lastName - load.lastName);
      expect(delta).toBeGreaterThanOrEqual(65);
      expect(delta).toBeLessThanOrEqual(119);
      expect([96, 112]).not.toContain(delta);
    }
  });

  it('name only customers and last names that a small database has', () => {
    const d = dimensions(0.01);
    const names = new Set(Array.from({ length: d.lastNames }, (_, n) => lastName(n)));
    const random = new Random(2);
    const draws = new Draws(random, loadConstants(random), d);
    const drawn = Array.from(
      { length: 5_000 },
      () => [draws.lastName(), draws.customer(), draws.item()] as const,
    );
    expect(drawn.every(([name]) => names.has(name))).toBe(true);
    expect(Math.max(...drawn.map(([, customer]) => customer))).toBe(30);
    expect(Math.max(...drawn.map(([, , item]) => item))).toBeLessThanOrEqual(1000);
  });
});

describe('New-Order inputs', () => {
  it('name an unused item last in about 1 % and take stock in one order', () => {
    const d = dimensions(3);
    let unused = 0;
    let remote = 0;
    let lines = 0;
    let wrong = 0;
    for (let n = 0; n < 20_000; n++) {
      const random = new Random(1, n);
      const input = drawNewOrder(2, random, new Draws(random, loadConstants(random), d), d);
      if (input.lines.length < 5 || input.lines.length > 15) wrong += 1;
      if (input.lines.at(-1)!.item === d.items + 1) unused += 1;
      if (input.lines.slice(0, -1).some(({ item }) => item > d.items)) wrong += 1;
      lines += input.lines.length;
      remote += input.lines.filter(({ supplyWarehouse }) => supplyWarehouse !== 2).length;
    }
    expect(wrong).toBe(0);
    expect(unused / 20_000).toBeCloseTo(0.01, 2);
    expect(lines / 20_000).toBeCloseTo(10, 0);
    expect(remote / lines).toBeCloseTo(0.01, 2);
  });

  it('pick any other warehouse', () => {
    const random = new Random(1);
    const others = new Set(Array.from({ length: 200 }, () => otherWarehouse(2, random, dimensions(4))));
    expect([...others].sort()).toEqual([1, 3, 4]);
    expect(otherWarehouse(1, random, dimensions(1))).toBe(1);
  });
});
