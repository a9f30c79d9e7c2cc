import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CapturedSession } from './events.js';
import { assignPlaces, mostOverlapping } from './places.js';

const sessions = fc.array(fc.tuple(fc.nat(1000), fc.nat(300)), { maxLength: 40 }).map((spans) =>
  spans.map(
    ([firstUs, length], i): CapturedSession => ({
      session: `s${i}`,
      user: 'app',
      database: 'shop',
      firstUs,
      lastUs: firstUs + length,
      events: 1,
    }),
  ),
);

const overlap = (a: CapturedSession, b: CapturedSession) => a.firstUs <= b.lastUs && b.firstUs <= a.lastUs;

describe('places', () => {
  it('are never shared by sessions that overlapped, and suffice when there are as many as overlapped', () => {
    fc.assert(
      fc.property(sessions, fc.nat(50), (all, more) => {
        const most = mostOverlapping(all);
        const places = assignPlaces(all, most + more);
        expect(new Set(places.values()).size).toBeLessThanOrEqual(most + more);
        for (const a of all) {
          for (const b of all) {
            if (a !== b && overlap(a, b)) expect(places.get(a.session)).not.toBe(places.get(b.session));
          }
        }
        if (most > 0) expect(() => assignPlaces(all, most - 1)).toThrow(`${most} sessions`);
      }),
    );
  });

  it('counts the most that overlap as a look at every moment does', () => {
    fc.assert(
      fc.property(sessions, (all) => {
        const at = all.map(
          ({ firstUs }) => all.filter((one) => one.firstUs <= firstUs && firstUs <= one.lastUs).length,
        );
        expect(mostOverlapping(all)).toBe(Math.max(0, ...at));
      }),
    );
  });
});
