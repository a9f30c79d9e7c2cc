import { describe, expect, it } from 'vitest';
import { systemClock } from '../../base/index.js';
import { Stillness } from './stillness.js';

function setUp(limitMs = 1_000) {
  let monotonic = 0;
  let wall = 1_000_000;
  const clock = { ...systemClock, monotonic: () => monotonic, now: () => wall };
  return {
    stillness: new Stillness(clock, limitMs),
    pass: (ms: number) => {
      monotonic += ms;
      wall += ms;
    },
    jump: (ms: number) => {
      wall += ms;
    },
  };
}

describe('a lease', () => {
  it('is dead when its mark stood still for its length, and not before', () => {
    const { stillness, pass } = setUp();
    expect(stillness.stale([{ id: 'a', mark: '1' }])).toEqual([]);
    pass(999);
    expect(stillness.stale([{ id: 'a', mark: '1' }])).toEqual([]);
    pass(1);
    expect(stillness.stale([{ id: 'a', mark: '1' }])).toEqual(['a']);
  });

  it('lives on with every renewal, also one that sets an earlier time', () => {
    const { stillness, pass } = setUp();
    for (const mark of ['5', '4', '3', '2']) {
      expect(stillness.stale([{ id: 'a', mark }])).toEqual([]);
      pass(900);
    }
  });

  it.each([86_400_000, -86_400_000])('is not ended by a wall clock that jumps by %d ms', (jumpMs) => {
    const { stillness, pass, jump } = setUp();
    stillness.stale([{ id: 'a', mark: '1' }]);
    jump(jumpMs);
    pass(500);
    expect(stillness.stale([{ id: 'a', mark: '1' }])).toEqual([]);
    pass(500);
    expect(stillness.stale([{ id: 'a', mark: '1' }])).toEqual(['a']);
  });

  it('that went away and came back begins anew', () => {
    const { stillness, pass } = setUp();
    stillness.stale([{ id: 'a', mark: '1' }]);
    pass(900);
    stillness.stale([]);
    pass(900);
    expect(stillness.stale([{ id: 'a', mark: '1' }])).toEqual([]);
  });
});
