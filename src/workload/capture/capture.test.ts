import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import Cursor from 'pg-cursor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findInstallations } from '../../postgres/index.js';
import type { TestPostgres } from '../../postgres/testing/index.js';
import {
  asAdmin,
  captureWhile,
  client,
  eventsOf,
  MemoryJournal,
  settingsOf,
  startLoggingServer,
} from '../testing/support.js';
import { captureWorkload } from './capture.js';

let out: string;
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'otto-capture-'));
});
afterAll(() => rm(out, { recursive: true, force: true }));

const special = [
  "it's",
  "', $2 = 'x",
  'a\nb\r\n\tc',
  'back\\slash \\n',
  '"quoted", with, commas',
  'ünï 😀 \u0001',
  '',
  'NULL',
];

/** Statements of every sort, with what the archive must say of each. */
async function drive(
  url: string,
): Promise<{ sql: string; parameters: (string | null)[]; sqlstate?: string }[]> {
  const expected: { sql: string; parameters: (string | null)[]; sqlstate?: string }[] = [];
  const db = await client(url, 'driver');
  const run = async (query: string | pg.QueryConfig, sqlstate?: string) => {
    const config = typeof query === 'string' ? { text: query } : query;
    const values = (config.values ?? []) as (string | null)[];
    expected.push({ sql: config.text, parameters: values, ...(sqlstate && { sqlstate }) });
    const failed = await db.query(config).then(
      () => undefined,
      (error: pg.DatabaseError) => error.code,
    );
    expect(failed).toBe(sqlstate);
  };
  await run('create table if not exists items (id int primary key, name text)');
  await run('truncate items');
  for (const value of special) await run({ text: 'select $1::text, $2::text', values: [value, null] });
  await run({ text: "select\n  $1::int -- a comment: with a colon\n, 'a;b'", values: ['7'] });
  for (const id of ['1', '2', '3']) {
    await run({
      name: 'add item: one',
      text: 'insert into items values ($1, $2)',
      values: [id, `name ${id}`],
    });
  }
  await run('begin');
  await run({ text: 'update items set name = $1 where id = $2', values: ['x', '1'] });
  await run({ text: 'insert into items values ($1, $2)', values: ['1', 'twice'] }, '23505');
  await run('select 1', '25P02');
  await run('rollback');
  await run({ text: 'select 1 / $1::int', values: ['0'] }, '22012');
  await run({ text: 'select $1::int', values: ['zz'] }, '22P02');
  await run('select 1; select 2;\n select 3');
  await run('select 1; select 2/0', '22012');
  await run('this is no sql', '42601');
  await run('prepare p as select $1::text || $2::text');
  await run("execute p('a, $2 = ''', 'x')");
  await run('do $$ begin perform 1/0; exception when division_by_zero then null; end $$');
  await run({ text: 'select 7 as none', queryMode: 'extended' } as pg.QueryConfig);
  expected.push({ sql: 'select g from generate_series(1, $1::int) g', parameters: ['10'] });
  const cursor = db.query(new Cursor('select g from generate_series(1, $1::int) g', ['10']));
  for (const rows of [3, 3, 10]) await cursor.read(rows);
  await cursor.close();
  await run('select count(*) from items');
  await db.end();
  return expected;
}

async function concurrent(url: string, sessions: number, statements: number): Promise<void> {
  await Promise.all(
    Array.from({ length: sessions }, async (_, s) => {
      const db = await client(url, `busy ${s}`);
      for (let i = 0; i < statements; i++) {
        // The names of the log files have the second in them: the load must go over into another one.
        if (i === statements / 2) await db.query('select pg_sleep(1.1)');
        if (i % 2) await db.query(`select ${i} as busy, '${'x'.repeat(50)}'`);
        else await db.query('select $1::int as busy, $2::text', [String(i), `${s}:${i} ${'y'.repeat(50)}`]);
      }
      await db.end();
    }),
  );
}

const present = new Set((await findInstallations()).map(({ major }) => major));
const servers = [
  { major: 18, format: 'jsonlog' },
  { major: 15, format: 'csvlog' },
].filter(({ major }) => {
  if (!present.has(major))
    process.stderr.write(`skipped: capture of PostgreSQL ${major}, which is not installed\n`);
  return present.has(major);
});

describe.each(servers)('a capture of PostgreSQL $major by $format', ({ major, format }) => {
  let server: TestPostgres;
  beforeAll(async () => {
    // A small log_rotation_size makes the server change its file again and again.
    server = await startLoggingServer(major, {
      log_rotation_size: '64kB',
      log_filename: 'otto-%Y-%m-%d_%H%M%S.log',
    });
    await asAdmin(server.url, async (admin) => {
      await admin.query("alter system set log_min_duration_statement = '5s'");
      if (format === 'csvlog') await admin.query("alter system set log_destination = 'stderr,csvlog'");
      await admin.query("alter system set log_error_verbosity = 'terse'");
      await admin.query('select pg_reload_conf()');
    });
  });
  afterAll(() => server.stop());

  it('has every statement exactly once, with its parameters and outcome; nothing is restarted or left changed', async () => {
    const before = await settingsOf(server);
    const startTime = () =>
      asAdmin(
        server.url,
        async (admin) => (await admin.query('select pg_postmaster_start_time()::text as t')).rows[0].t,
      );
    const started = await startTime();
    let expected: Awaited<ReturnType<typeof drive>> = [];
    const { file, manifest, journal } = await captureWhile(server, out, async () => {
      expected = await drive(server.url);
    });
    expect(await startTime()).toBe(started);
    expect(await settingsOf(server)).toEqual(before);
    expect(journal.open).toEqual([]);
    const found = (await eventsOf(file)).filter(({ application }) => application === 'driver');
    expect(
      found.map(({ sql, parameters, sqlstate }) => ({ sql, parameters, ...(sqlstate && { sqlstate }) })),
    ).toEqual(expected);
    expect(manifest.lost).toEqual([]);
    expect(manifest.log.format).toBe(format);
    expect(manifest.counts.events).toBe((await eventsOf(file)).length);
    expect(manifest.counts.errors).toBe(expected.filter(({ sqlstate }) => sqlstate).length);
    const block = found.filter(({ sql }) => /^(begin|update|rollback)/.test(sql));
    expect(new Set(block.map(({ transaction }) => transaction)).size).toBe(1);
    expect(found.find(({ sql }) => sql.startsWith('insert'))?.statement_name).toBe('add item: one');
    expect(found.every(({ duration_us, outcome }) => outcome === 'error' || (duration_us ?? -1) >= 0)).toBe(
      true,
    );
  });

  it.each(['files', 'sql'] as const)(
    'loses nothing while the log is rotated under load (read through %s)',
    async (through) => {
      const [sessions, statements] = [4, 400];
      const { file, manifest } = await captureWhile(
        server,
        out,
        () => concurrent(server.url, sessions, statements),
        {
          limits: { readThroughSql: through === 'sql' },
        },
      );
      expect(manifest.log.readThrough).toBe(through);
      expect(manifest.log.bytes).toBeGreaterThan(5 * 64 * 1024);
      expect(manifest.log.files.length).toBeGreaterThan(1);
      const found = await eventsOf(file);
      for (let s = 0; s < sessions; s++) {
        const own = found.filter(
          ({ application, sql }) => application === `busy ${s}` && !sql.includes('pg_sleep'),
        );
        expect(
          own.map(({ sql, parameters }) => (parameters!.length ? parameters![0] : /\d+/.exec(sql)![0])),
        ).toEqual(Array.from({ length: statements }, (_, i) => String(i)));
      }
      expect(manifest.lost).toEqual([]);
    },
  );

  it('has each statement once where the owner logs statements already, and samples', async () => {
    const owners = {
      log_statement: 'all',
      log_duration: 'on',
      log_statement_sample_rate: '0',
      log_transaction_sample_rate: '0',
      log_min_error_statement: 'panic',
    };
    await asAdmin(server.url, async (owner) => {
      for (const [name, value] of Object.entries(owners))
        await owner.query(`alter system set ${name} = '${value}'`);
      await owner.query('select pg_reload_conf()');
    });
    try {
      const before = await settingsOf(server);
      let expected: Awaited<ReturnType<typeof drive>> = [];
      const { file, manifest } = await captureWhile(server, out, async () => {
        expected = await drive(server.url);
      });
      const found = (await eventsOf(file)).filter(({ application }) => application === 'driver');
      expect(
        found.map(({ sql, parameters, sqlstate }) => ({ sql, parameters, ...(sqlstate && { sqlstate }) })),
      ).toEqual(expected);
      expect(found.every(({ duration_us, outcome }) => outcome === 'error' || duration_us !== null)).toBe(
        true,
      );
      expect(manifest.lost).toEqual([]);
      expect(await settingsOf(server)).toEqual(before);
    } finally {
      await asAdmin(server.url, async (owner) => {
        for (const name of Object.keys(owners)) await owner.query(`alter system reset ${name}`);
        await owner.query('select pg_reload_conf()');
      });
    }
  });

  it('restores the settings when it fails in the middle', async () => {
    const before = await settingsOf(server);
    const folder = await mkdtemp(join(out, 'taken-away-'));
    await expect(captureWhile(server, folder, () => rm(folder, { recursive: true }))).rejects.toThrow();
    expect(await settingsOf(server)).toEqual(before);
  });

  it('restores the settings when it is cancelled in the middle, and leaves no file', async () => {
    const before = await settingsOf(server);
    const cancel = new AbortController();
    const journal = new MemoryJournal();
    const folder = await mkdtemp(join(out, 'cancelled-'));
    const capture = captureWorkload({
      url: server.url,
      server: 'primary',
      seconds: 600,
      method: 'log',
      journal,
      outDirectory: folder,
      signal: cancel.signal,
      progress: ({ phase }) => {
        if (phase === 'capturing') cancel.abort(new Error('enough'));
      },
      limits: { baselineMs: 1, minimumFreeBytes: 1 },
    });
    await expect(capture).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(journal.changes.size).toBeGreaterThan(0);
    expect(journal.open).toEqual([]);
    expect(await settingsOf(server)).toEqual(before);
    expect(await readdir(folder)).toEqual([]);
  });

  it('keeps what the owner sets meanwhile, and says so', async () => {
    const { manifest, journal } = await captureWhile(server, out, () =>
      asAdmin(server.url, async (owner) => {
        await owner.query("alter system set log_min_duration_statement = '7s'");
        await owner.query('select pg_reload_conf()');
      }),
    );
    try {
      expect(
        manifest.settings.restored.find(({ setting }) => setting === 'log_min_duration_statement')?.outcome,
      ).toBe('KEPT_THEIRS');
      expect(journal.open).toEqual([]);
      expect((await settingsOf(server)).autoConf).toContain("log_min_duration_statement = '7s'");
      expect(manifest.lost.map(({ why }) => why).join()).toContain('log_min_duration_statement was changed');
    } finally {
      await asAdmin(server.url, async (owner) => {
        await owner.query("alter system set log_min_duration_statement = '5s'");
        await owner.query('select pg_reload_conf()');
      });
    }
  });

  it('survives a restart of the server in the middle', async () => {
    const before = await settingsOf(server);
    const { file, manifest, journal } = await captureWhile(server, out, async () => {
      await asAdmin(server.url, (db) => db.query("select 'before the restart'"));
      await server.instance.stop('fast');
      await server.instance.start();
      await asAdmin(server.url, (db) => db.query("select 'after the restart'"));
    });
    const sql = (await eventsOf(file)).map((event) => event.sql);
    expect(sql).toContain("select 'before the restart'");
    expect(sql).toContain("select 'after the restart'");
    expect(manifest.lost.map(({ what }) => what)).toContain('statements running at a restart');
    expect(journal.open).toEqual([]);
    expect(await settingsOf(server)).toEqual(before);
  });

  it('goes on when its own connections are killed', async () => {
    const before = await settingsOf(server);
    const { file, manifest } = await captureWhile(server, out, () =>
      asAdmin(server.url, async (admin) => {
        const { rowCount } = await admin.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'ottopilot%'",
        );
        expect(rowCount).toBeGreaterThan(0);
        await admin.query("select 'after the kill'");
      }),
    );
    expect((await eventsOf(file)).map(({ sql }) => sql)).toContain("select 'after the kill'");
    expect(manifest.lost).toEqual([]);
    expect(await settingsOf(server)).toEqual(before);
  });

  it('counts what runs over its edges', async () => {
    const early = await client(server.url, 'early');
    await early.query('begin');
    await early.query('create temporary table t (n int)');
    const running = early.query('select pg_sleep(3600)').catch((error: pg.DatabaseError) => error.code);
    const idle = await client(server.url, 'idle');
    await idle.query('begin');
    const late = await client(server.url, 'late');
    let over: Promise<unknown> = Promise.resolve();
    const { manifest, file } = await captureWhile(server, out, async () => {
      await asAdmin(server.url, (admin) =>
        admin.query("select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'early'"),
      );
      await running;
      await idle.query('select 1');
      await idle.query('commit');
      await late.query('begin');
      await late.query('select 2');
      over = late.query('select pg_sleep(3600)').catch((error: pg.DatabaseError) => error.code);
      await waitUntilRunning(server.url, 'late');
    });
    const { counts, lost } = manifest;
    expect(
      lost.filter(({ what }) => what.startsWith('statements running')).map(({ count }) => count),
    ).toEqual([1, 1]);
    expect(counts.transactionsOpenAtStart).toBe(1);
    expect(counts.transactionsOpenAtEnd).toBe(1);
    expect(counts.sessionsOpenAtStart).toBeGreaterThanOrEqual(2);
    const events = await eventsOf(file);
    expect(
      events.filter(({ application }) => application === 'idle').map(({ transaction }) => transaction),
    ).toEqual([0, 0]);
    await asAdmin(server.url, (admin) =>
      admin.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'late'"),
    );
    await over;
    await Promise.all([early.end(), idle.end()]);
  });
});

async function waitUntilRunning(url: string, application: string): Promise<void> {
  await asAdmin(url, async (admin) => {
    for (;;) {
      const { rows } = await admin.query(
        "select 1 from pg_stat_activity where application_name = $1 and state = 'active' and wait_event = 'PgSleep'",
        [application],
      );
      if (rows.length > 0) return;
    }
  });
}
