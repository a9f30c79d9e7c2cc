import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withDuckDb } from '../../duckdb/index.js';
import { startTestPostgres, type TestPostgres } from '../../postgres/testing/index.js';
import { type CaptureResult, replayWorkload, summariseCapture } from '../index.js';
import { asAdmin, captureWhile, client, startLoggingServer } from '../testing/support.js';

const schema = `
  create table accounts (id int primary key, balance numeric not null check (balance >= 0), note text);
  insert into accounts select g, 100, null from generate_series(1, 20) g;
  create table entries (id int generated always as identity, account int references accounts, amount numeric)`;
const checksum = `
  select (select md5(string_agg(t::text, '|' order by id)) from accounts t) as accounts,
         (select md5(string_agg(account || ':' || amount, '|' order by id)) from entries) as entries`;

let source: TestPostgres;
let clone: TestPostgres;
let out: string;
beforeAll(async () => {
  [source, clone] = await Promise.all([startLoggingServer(15), startTestPostgres({ major: 18 })]);
  out = await mkdtemp(join(tmpdir(), 'otto-replay-'));
  for (const { url } of [source, clone]) await asAdmin(url, (admin) => admin.query(schema));
});
afterAll(async () => {
  await source?.stop();
  await clone?.stop();
  await rm(out, { recursive: true, force: true });
});

const state = (url: string) => asAdmin(url, async (admin) => (await admin.query(checksum)).rows[0]);

/** One session that uses every way of sending a statement, with failures that the archive must repeat. */
async function bank(url: string): Promise<void> {
  const db = await client(url, 'bank');
  const run = (query: string | pg.QueryConfig) =>
    db.query(query).catch((error: pg.DatabaseError) => error.code);
  await run("set statement_timeout = '30s'");
  await run("update accounts set note = 'a, $1 = ''x''' where id = 1");
  for (let i = 1; i <= 20; i++) {
    await run('begin');
    await run({
      name: 'take',
      text: 'update accounts set balance = balance - $1 where id = $2',
      values: [i * 9, i],
    });
    await run({ text: 'insert into entries (account, amount) values ($1, $2)', values: [i, -i * 9] });
    await run('commit');
  }
  await run({ text: 'update accounts set note = $1 where id = $2', values: ["it's\na 'note', $2 = '7'", 2] });
  await run({ text: 'update accounts set note = $1 where id = $2', values: [null, 3] });
  await run(
    'insert into entries (account, amount) values (1, 1); insert into entries (account, amount) values (2, 2)',
  );
  await run(
    'insert into entries (account, amount) values (1, 1); insert into entries (account, amount) values (999, 2)',
  );
  await run('deallocate take');
  await run({ name: 'take', text: 'select count(*) from entries where account > $1', values: [3] }).catch(
    () => {},
  );
  await run('prepare plus (int) as update accounts set balance = balance + $1 where id = 5');
  await run('execute plus(11)');
  await run('copy accounts to stdout');
  await run('select * from nowhere');
  await db.end();
}

describe('a capture replayed on another server', () => {
  let capture: CaptureResult;
  beforeAll(async () => {
    capture = await captureWhile(source, out, () => bank(source.url));
  });

  it('has the same outcomes and the same end state', async () => {
    const report = await replayWorkload({ file: capture.file, url: clone.url, speed: 1 });
    expect(report.divergence).toEqual([]);
    expect(report.skipped).toEqual([]);
    expect(await state(clone.url)).toEqual(await state(source.url));
    expect(report.statements).toBe(capture.manifest.counts.events);
    expect(report.errors).toBe(capture.manifest.counts.errors);
    expect(report.errors).toBeGreaterThan(10);
    expect(report.sessions).toBe(1);
    expect(report.transactions).toBe(capture.manifest.counts.transactions);
    const take = report.templates.find(({ sql }) =>
      sql.startsWith('update accounts set balance = balance - $1'),
    );
    expect(take).toMatchObject({
      calls: 20,
      capturedP50Ms: expect.any(Number),
      replayedP50Ms: expect.any(Number),
    });
    expect(report.latencyMs.p99).toBeGreaterThanOrEqual(report.latencyMs.p50);
  });

  it('names what comes out differently', async () => {
    // The accounts are spent by now, and one is gone altogether.
    await asAdmin(clone.url, (admin) => admin.query('create table nowhere (n int)'));
    const report = await replayWorkload({ file: capture.file, url: clone.url, speed: 'max' });
    const found = Object.fromEntries(report.divergence.map((one) => [one.class, one]));
    expect(found.ok_instead_of_error?.sample).toMatchObject({
      sql: 'select * from nowhere',
      captured: '42P01',
      replayed: 'ok',
    });
    expect(found.error_instead_of_ok?.sample.replayed).toContain('23514');
    expect(report.latenessMs.max).toBe(0);
  });

  it('refuses a production server, and speeds that are none', async () => {
    const options = { file: capture.file, url: clone.url, speed: 1 };
    await expect(replayWorkload({ ...options, production: true })).rejects.toMatchObject({
      code: 'PRODUCTION_REFUSED',
    });
    await expect(replayWorkload({ ...options, speed: 0 })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(replayWorkload({ ...options, file: join(out, 'none') })).rejects.toMatchObject({
      code: 'NO_SUCH_FILE',
    });
  });

  it('is summarised by template and over time', async () => {
    const { templates, series } = await summariseCapture(capture.file);
    expect(templates.reduce((sum, { calls }) => sum + calls, 0)).toBe(capture.manifest.counts.events);
    expect(templates.reduce((sum, { errors }) => sum + errors, 0)).toBe(capture.manifest.counts.errors);
    expect(templates.length).toBe(capture.manifest.counts.templates);
    expect(series.count.reduce((sum, count) => sum + count, 0)).toBe(capture.manifest.counts.events);
    expect(series.t.length).toBe(series.p99Ms.length);
    for (const { sparkline, calls } of templates) expect(sparkline.reduce((a, b) => a + b)).toBe(calls);
    expect(templates.map(({ totalMs }) => totalMs)).toEqual(
      templates.map(({ totalMs }) => totalMs).sort((a, b) => b - a),
    );
  });
});

/** An archive made by hand: times, sessions and durations as a test needs them. */
async function archiveOf(rows: string): Promise<string> {
  const file = join(out, `made-${Math.random()}.parquet`);
  await withDuckDb({}, async (db) => {
    await db.query(`
      copy (select session, row_number() over (partition by session order by at_ms) as line, transaction,
                   make_timestamptz(1_700_000_000_000_000 + at_ms * 1000) as started_at, ms * 1000 as duration_us, kind,
                   protocol, null::varchar as statement_name, 'f' || md5(sql)[:8] as fingerprint, sql as template, sql,
                   []::varchar[] as parameters, null::varchar as prepared_sql, outcome, sqlstate, 'postgres' as user_name,
                   'postgres' as database
              from (values ${rows}) as t (session, at_ms, ms, transaction, kind, protocol, sql, outcome, sqlstate))
      to '${file}' (format parquet)`);
  });
  return file;
}

describe('timing', () => {
  const rows = Array.from({ length: 5 }, (_, i) => i * 100)
    .flatMap((at, i) =>
      ["'a'", "'b'"].map((s) => `(${s}, ${at}, 0, ${i + 1}, 'select', 'simple', 'select 1', 'ok', null)`),
    )
    .join(',');

  it('keeps the captured times, or scales them', async () => {
    const file = await archiveOf(rows);
    const once = await replayWorkload({ file, url: clone.url, speed: 1 });
    expect(once.seconds).toBeGreaterThan(0.4);
    expect(once.statements).toBe(10);
    expect(once.connections).toBe(2);
    const ten = await replayWorkload({ file, url: clone.url, speed: 10 });
    expect(ten.seconds).toBeLessThan(once.seconds);
  });

  it('runs on at once when it is late, and says how late', async () => {
    const file = await archiveOf(`
      ('a', 0, 1, 1, 'select', 'simple', 'select pg_sleep(0.3)', 'ok', null),
      ('a', 10, 1, 2, 'select', 'simple', 'select 2', 'ok', null)`);
    const report = await replayWorkload({ file, url: clone.url, speed: 1 });
    expect(report.latenessMs.max).toBeGreaterThan(200);
    expect(report.playerLatenessMs.max).toBeLessThan(report.latenessMs.max);
  });

  it('shares places among sessions that do not overlap, and refuses more that do', async () => {
    const sessions = Array.from(
      { length: 4 },
      (_, i) => `('s${i}', ${i * 50}, 10, 1, 'select', 'simple', 'select ${i}', 'ok', null)`,
    ).join(',');
    const file = await archiveOf(sessions);
    expect(await replayWorkload({ file, url: clone.url, speed: 1, maxConnections: 1 })).toMatchObject({
      sessions: 4,
      connections: 1,
      statements: 4,
      divergence: [],
    });
    const overlapping = await archiveOf(sessions.replaceAll(', 10, 1,', ', 500, 1,'));
    await expect(
      replayWorkload({ file: overlapping, url: clone.url, speed: 1, maxConnections: 3 }),
    ).rejects.toMatchObject({ code: 'TOO_MANY_SESSIONS', message: expect.stringContaining('4 sessions') });
  });

  it('keeps transactions whose beginning or end was not captured, and pipelines', async () => {
    await asAdmin(clone.url, (admin) => admin.query('create table marks (n int primary key)'));
    const file = await archiveOf(`
      ('open at start', 0, 1, 0, 'insert', 'simple', 'insert into marks values (1)', 'ok', null),
      ('open at start', 1, 1, 0, 'rollback', 'simple', 'rollback', 'ok', null),
      ('open at end', 0, 1, 1, 'begin', 'simple', 'begin', 'ok', null),
      ('open at end', 1, 1, 1, 'insert', 'simple', 'insert into marks values (2)', 'ok', null),
      ('pipeline', 0, 1, 1, 'insert', 'extended', 'insert into marks values (3)', 'ok', null),
      ('pipeline', 1, null, 1, 'insert', 'extended', 'insert into marks values (3)', 'error', '23505'),
      ('pipeline', 2, 1, 2, 'insert', 'extended', 'insert into marks values (4)', 'ok', null)`);
    const report = await replayWorkload({ file, url: clone.url, speed: 1 });
    expect(report).toMatchObject({
      transactionsOpenAtStart: 1,
      transactionsOpenAtEnd: 1,
      divergence: [],
      errors: 1,
    });
    expect(
      await asAdmin(clone.url, async (admin) => (await admin.query('select n from marks')).rows),
    ).toEqual([{ n: 4 }]);
  });

  it('skips by name what a log cannot replay', async () => {
    const file = await archiveOf(`
      ('a', 0, 1, 1, 'copy from', 'simple', 'copy accounts from stdin', 'ok', null),
      ('a', 1, 1, 2, 'alter system', 'simple', 'alter system set work_mem = 64', 'ok', null),
      ('a', 2, 1, 3, 'select', 'simple', 'select 1', 'ok', null)`);
    const report = await replayWorkload({ file, url: clone.url, speed: 1 });
    expect(report.statements).toBe(1);
    expect(report.skipped.map(({ what }) => what.split(':')[0])).toEqual(['COPY FROM STDIN', 'ALTER SYSTEM']);
  });

  it('ends at once when it is cancelled, at its time limit, and repeats a captured cancel', async () => {
    const sleepy = await archiveOf(`('a', 0, 1, 1, 'select', 'simple', 'select pg_sleep(3600)', 'ok', null)`);
    const cancel = new AbortController();
    const running = replayWorkload({ file: sleepy, url: clone.url, speed: 1, signal: cancel.signal });
    setTimeout(() => cancel.abort(new Error('enough')), 500);
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(
      replayWorkload({ file: sleepy, url: clone.url, speed: 1, timeLimitMs: 600 }),
    ).rejects.toMatchObject({ code: 'TIMED_OUT' });
    const cancelled = await archiveOf(
      `('a', 0, 100, 1, 'select', 'simple', 'select pg_sleep(3600)', 'error', '57014')`,
    );
    expect(await replayWorkload({ file: cancelled, url: clone.url, speed: 1 })).toMatchObject({
      divergence: [],
      errors: 1,
    });
    const left = await asAdmin(clone.url, async (admin) => {
      const { rows } = await admin.query(
        "select count(*)::int as n from pg_stat_activity where query like '%3600%' and state = 'active' and pid <> pg_backend_pid()",
      );
      return rows[0].n;
    });
    expect(left).toBe(0);
  });
});
