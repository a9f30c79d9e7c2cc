import { describe, expect, it } from 'vitest';
import { rowChanges } from './rates.js';

const view = { name: 'v', key: ['id'], reset: 'stats_reset' };
const columns = { id: 'label', calls: 'counter', now: 'gauge', stats_reset: 'label' } as const;
const change = (first: object[], second: object[]) => rowChanges(view, columns, first as [], second as [], 2);

describe('rowChanges', () => {
  it('gives rates of counters only', () => {
    expect(
      change(
        [{ id: 1, calls: 10, now: 5, stats_reset: null }],
        [{ id: 1, calls: 30, now: 4, stats_reset: null }],
      ),
    ).toEqual([
      {
        key: { id: 1 },
        values: { calls: 30, now: 4, stats_reset: null },
        ratesPerSecond: { calls: 10 },
        reset: false,
      },
    ]);
  });

  it('notices a reset by its time, by a counter that fell, and gives no rates then', () => {
    const byTime = change([{ id: 1, calls: 1, stats_reset: 'a' }], [{ id: 1, calls: 9, stats_reset: 'b' }]);
    const byFall = change([{ id: 1, calls: 9, stats_reset: 'a' }], [{ id: 1, calls: 1, stats_reset: 'a' }]);
    for (const [row] of [byTime, byFall]) expect(row).toMatchObject({ reset: true, ratesPerSecond: {} });
  });

  it('gives no rates for rows that are new, cannot be told apart, or hold nothing', () => {
    expect(change([], [{ id: 2, calls: 5 }])[0]).toMatchObject({ reset: false, ratesPerSecond: {} });
    const twins = [
      { id: null, calls: 1 },
      { id: null, calls: 7 },
    ];
    expect(change(twins, twins).map(({ ratesPerSecond }) => ratesPerSecond)).toEqual([{}, {}]);
    expect(change([{ id: 1, calls: null }], [{ id: 1, calls: null }])[0]!.ratesPerSecond).toEqual({});
  });

  it('counts beyond 2^53', () => {
    const [row] = change([{ id: 1, calls: '9007199254740993' }], [{ id: 1, calls: '9007199254740997' }]);
    expect(row!.ratesPerSecond.calls).toBe(2);
  });
});
