import { expect, it } from 'vitest';
import type { Clock } from '../../base/index.js';
import { Lease } from './lease.js';

/** Time that stands still until it is told to go on. */
function handClock() {
  let now = 0;
  let waiting: { at: number; resolve: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        waiting.push({ at: now + ms, resolve });
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  const advance = async (ms: number) => {
    now += ms;
    const due = waiting.filter(({ at }) => at <= now);
    waiting = waiting.filter(({ at }) => at > now);
    for (const { resolve } of due) resolve();
    await new Promise(setImmediate);
  };
  return { clock, advance };
}

function leaseOf() {
  const { clock, advance } = handClock();
  let lost = 0;
  const lease = new Lease(clock, () => {
    lost += 1;
  });
  return { clock, advance, lease, lost: () => lost };
}

it('counts from when the heartbeat was sent, not from when its answer came', async () => {
  const { lease, advance, clock, lost } = leaseOf();
  const sentAt = clock.monotonic();
  await advance(400);
  lease.grant(1n, 1000, sentAt);
  await advance(599);
  expect(lease.held).toBe(true);
  await advance(1);
  expect(lease.held).toBe(false);
  expect(lost()).toBe(1);
});

it('is extended by each answer, never shortened by a late one', async () => {
  const { lease, advance, lost } = leaseOf();
  lease.grant(1n, 1000, 0);
  await advance(900);
  lease.renew(800);
  lease.renew(100);
  await advance(850);
  expect(lease.held).toBe(true);
  await advance(50);
  expect(lost()).toBe(1);
});

it('once lost is lost until it is granted again, and keeps its epoch to say', async () => {
  const { lease, advance, lost } = leaseOf();
  lease.grant(7n, 1000, 0);
  await advance(5000);
  lease.renew(5000);
  expect([lease.held, lease.epoch]).toEqual([false, 7n]);
  lease.grant(8n, 1000, 5000);
  expect([lease.held, lease.epoch]).toEqual([true, 8n]);
  await advance(1000);
  expect(lost()).toBe(2);
});

it('closed, says nothing any more', async () => {
  const { lease, advance, lost } = leaseOf();
  lease.grant(1n, 1000, 0);
  lease.close();
  await advance(5000);
  expect(lost()).toBe(0);
});
