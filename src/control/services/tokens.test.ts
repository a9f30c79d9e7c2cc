import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../base/index.js';
import { startTestControl, type TestControl, testActor } from '../testing/index.js';
import { Tokens } from './tokens.js';

let control: TestControl;
let now = Date.parse('2026-03-01T12:00:00Z');
const clock = { now: () => now, monotonic: () => now, sleep: async () => {} };

beforeAll(async () => {
  control = await startTestControl();
});
afterAll(async () => await control?.stop());

const fresh = () => new Tokens({ db: control.db, clock });

describe('tokens', () => {
  it('are stored as a hash only, and found by it', async () => {
    const tokens = fresh();
    const { token, row } = await tokens.issue({ name: 'ci', role: 'operator' }, testActor);
    expect(token).toMatch(/^otto_[\w-]{43}$/);
    expect(row).toMatchObject({ name: 'ci', role: 'operator', created_by: 'tester', hash: sha256(token) });
    expect(JSON.stringify(await tokens.list())).not.toContain(token.slice(5));
    expect((await tokens.authenticate(token))?.id).toBe(row.id);
    expect((await tokens.authenticateId(row.id))?.id).toBe(row.id);
  });

  it.each(['', 'otto_', 'nonsense', `otto_${'a'.repeat(43)}`, `otto_${'a'.repeat(100_000)}`, "' or true --"])(
    'do not match %.20j',
    async (guess) => {
      expect(await fresh().authenticate(guess)).toBeUndefined();
    },
  );

  it('expire, in a cache too', async () => {
    const tokens = fresh();
    const { token, row } = await tokens.issue(
      { name: 'short', role: 'viewer', expiresAt: new Date(now + 1_000) },
      testActor,
    );
    expect((await tokens.authenticate(token))?.id).toBe(row.id);
    now += 1_000;
    expect(await tokens.authenticate(token)).toBeUndefined();
    expect(await tokens.authenticateId(row.id)).toBeUndefined();
    expect(await fresh().authenticate(token)).toBeUndefined();
    await expect(
      tokens.issue({ name: 'late', role: 'viewer', expiresAt: new Date(now - 1) }, testActor),
    ).rejects.toThrow(/past/);
  });

  it('once revoked are refused here at once, elsewhere within five seconds', async () => {
    const [here, elsewhere] = [fresh(), fresh()];
    const { token, row } = await here.issue({ name: 'gone', role: 'admin' }, testActor);
    await here.authenticate(token);
    await elsewhere.authenticate(token);
    await here.revoke(row.id, testActor);
    expect(await here.authenticate(token)).toBeUndefined();
    expect(await here.authenticateId(row.id)).toBeUndefined();
    now += 5_000;
    expect(await elsewhere.authenticate(token)).toBeUndefined();
    expect((await here.revoke(row.id, testActor)).revoked_at).not.toBeNull();
    await expect(here.revoke('tok_none', testActor)).rejects.toMatchObject({ code: 'TOKEN_NOT_FOUND' });
  });

  it('note their use at most once a minute', async () => {
    const tokens = fresh();
    const { token, row } = await tokens.issue({ name: 'used', role: 'viewer' }, testActor);
    const usedAt = async () => (await tokens.list()).find(({ id }) => id === row.id)?.last_used_at?.getTime();
    expect(await usedAt()).toBeUndefined();
    await tokens.authenticate(token);
    const first = now;
    expect(await usedAt()).toBe(first);
    now += 30_000;
    await tokens.authenticate(token);
    expect(await usedAt()).toBe(first);
    now += 31_000;
    await tokens.authenticate(token);
    expect(await usedAt()).toBe(now);
  });

  it('are looked up once in a burst', async () => {
    let queries = 0;
    const db = control.db.withPlugin({
      transformQuery: ({ node }) => {
        queries += 1;
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    const tokens = new Tokens({ db, clock });
    const { token } = await tokens.issue({ name: 'burst', role: 'viewer' }, testActor);
    await tokens.authenticate(token);
    const before = queries;
    for (let i = 0; i < 50; i++) await tokens.authenticate(token);
    expect(queries).toBe(before);
  });
});
