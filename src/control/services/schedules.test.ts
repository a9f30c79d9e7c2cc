import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestControl, type TestControl, testActor } from '../testing/index.js';

let control: TestControl;
let other: TestControl;
const document = { name: 'nightly', commands: ['a'] };

beforeAll(async () => {
  control = await startTestControl();
  other = await startTestControl({ again: control });
});
afterAll(async () => {
  await other?.stop();
  await control?.stop();
});
beforeEach(async () => {
  await control.db.deleteFrom('schedules').execute();
});

const add = (more: object = {}) =>
  control.schedules.add({ name: 'n', cron: '0 3 * * *', document, ...more }, testActor);

describe('a schedule', () => {
  it('knows its next time in its own zone, across a change of clocks', async () => {
    const row = await add({ timeZone: 'Europe/Berlin' });
    const next = row.next_at!;
    const hour = new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', hour: 'numeric', hour12: false });
    expect(hour.format(next)).toBe('03');
    expect(next.getTime()).toBeGreaterThan(Date.now());
    expect(next.getTime() - Date.now()).toBeLessThanOrEqual(25 * 3_600_000);
  });

  it.each([
    [{ cron: 'often' }, /cron: "often"/],
    [{ cron: '61 * * * *' }, /cron/],
    [{ timeZone: 'Mars/Olympus' }, /timeZone: "Mars\/Olympus"/],
    [{ document: { commands: [] } }, /document: name: is missing/],
    [{ target: 'nobody' }, /no target nobody/],
  ])('is refused with %j', async (bad, message) => {
    await expect(add(bad)).rejects.toThrow(message);
    expect(await control.schedules.list()).toEqual([]);
  });

  it('has a name of its own', async () => {
    await add();
    await expect(add()).rejects.toMatchObject({ code: 'NAME_TAKEN' });
    const second = await add({ name: 'm' });
    await expect(control.schedules.update(second.id, { name: 'n' }, testActor)).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    });
  });

  it('is not due while disabled, and makes up for nothing when enabled again', async () => {
    const { id } = await add({ cron: '* * * * *' });
    const off = await control.schedules.update(id, { enabled: false }, testActor);
    expect(off.next_at).toBeNull();
    const later = new Date(Date.now() + 600_000);
    expect(await control.schedules.claim(later)).toEqual([]);
    const on = await control.schedules.update(id, { enabled: true }, testActor);
    expect(on.next_at!.getTime()).toBeGreaterThan(Date.now());
    await expect(control.schedules.update(id, { cron: 'x' }, testActor)).rejects.toThrow(/cron/);
    await control.schedules.remove(id, testActor);
    await expect(control.schedules.remove(id, testActor)).rejects.toMatchObject({
      code: 'SCHEDULE_NOT_FOUND',
    });
  });

  it('is claimed by one of two claimers, each time', async () => {
    for (let i = 0; i < 10; i++) await add({ name: `s${i}`, cron: '*/5 * * * *' });
    let now = new Date(Date.now() + 360_000);
    for (let round = 0; round < 5; round++) {
      const claims = await Promise.all([
        control.schedules.claim(now),
        other.schedules.claim(now),
        control.schedules.claim(now),
      ]);
      const names = claims.flat().map(({ name }) => name);
      expect(names.sort()).toEqual(Array.from({ length: 10 }, (_, i) => `s${i}`));
      expect(await other.schedules.claim(now)).toEqual([]);
      now = new Date(now.getTime() + 300_000);
    }
  });

  it('fires once for many times that were missed, and remembers what came of it', async () => {
    const { id, next_at: due } = await add({ cron: '* * * * *' });
    const later = new Date(Date.now() + 3_600_000);
    const claimed = await control.schedules.claim(later);
    expect(claimed.map((row) => [row.id, row.next_at])).toEqual([[id, due]]);
    await control.schedules.fired(id, { runId: 'run_9' });
    await control.schedules.fired(id, { note: 'skipped' });
    const row = await control.schedules.find(id);
    expect(row).toMatchObject({ last_run_id: 'run_9', last_note: 'skipped', last_at: later });
    expect(row.next_at!.getTime()).toBeGreaterThan(later.getTime());
  });
});
