import { describe, expect, it } from 'vitest';
import { arrivalTimes } from './arrivals.js';
import { checkMix, pick } from './mix.js';
import { alphanumerics, Random } from './random.js';

describe('Random', () => {
  it('gives the same stream for the same names and unrelated ones for neighbouring names', () => {
    const draw = (...names: number[]) => {
      const random = new Random(...names);
      return Array.from({ length: 8 }, () => random.int(0, 1_000_000));
    };
    expect(draw(1, 2)).toEqual(draw(1, 2));
    expect(draw(1, 2)).not.toEqual(draw(2, 1));
    expect(draw(-5)).not.toEqual(draw(5));
    // First draws of neighbouring streams are spread evenly: a weak seed makes them cluster.
    const tenths = new Array<number>(10).fill(0);
    for (let n = 0; n < 10_000; n++) tenths[Math.floor(new Random(7, n).float() * 10)]! += 1;
    expect(Math.min(...tenths)).toBeGreaterThan(850);
    expect(Math.max(...tenths)).toBeLessThan(1150);
  });

  it('makes text of the alphabet and the length asked for, and permutations', () => {
    const random = new Random(3);
    const texts = Array.from({ length: 500 }, () => random.text(14, 24, alphanumerics));
    expect(new Set(texts.map((text) => text.length))).toEqual(
      new Set([14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24]),
    );
    expect(new Set(texts.join(''))).toEqual(new Set(alphanumerics));
    expect(random.permutation(300).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 300 }, (_, i) => i + 1),
    );
  });
});

describe('arrivalTimes', () => {
  const first = (n: number, spacing: 'poisson' | 'constant') => {
    const times = arrivalTimes(200, spacing, 9);
    return Array.from({ length: n }, () => times.next().value);
  };

  it('spaces constant arrivals evenly', () => {
    expect(first(4, 'constant')).toEqual([0, 5, 10, 15]);
  });

  it('makes a Poisson process: exponential gaps of the right mean', () => {
    const times = first(20_000, 'poisson');
    const gaps = times.slice(1).map((time, i) => time - times[i]!);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(mean).toBeCloseTo(5, 0);
    // The standard deviation of an exponential distribution is its mean.
    expect(Math.sqrt(variance) / mean).toBeGreaterThan(0.96);
    expect(Math.sqrt(variance) / mean).toBeLessThan(1.04);
  });
});

describe('mix', () => {
  it('draws in proportion to the weights', () => {
    const mix = checkMix({ a: 45, b: 43, c: 12 }, ['a', 'b', 'c', 'd'] as const, 'test');
    const random = new Random(1);
    const counts = { a: 0, b: 0, c: 0, d: 0 };
    for (let n = 0; n < 50_000; n++) counts[pick(mix, random)] += 1;
    expect(counts.a / 50_000).toBeCloseTo(0.45, 1.8);
    expect(counts.b / 50_000).toBeCloseTo(0.43, 1.8);
    expect(counts.d).toBe(0);
  });

  it('names what is wrong with weights', () => {
    expect(() => checkMix({ a: 1, x: 2 }, ['a'], 'here')).toThrow(/here: unknown transaction type x/);
    expect(() => checkMix({ a: 0 }, ['a'], 'here')).toThrow(/not all 0/);
    expect(() => checkMix({ a: -1 }, ['a'], 'here')).toThrow(/from 0 up/);
  });
});
