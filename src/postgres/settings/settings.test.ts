import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect, withConnection } from '../connect.js';
import { findInstallations } from '../installations.js';
import { startReplica, startTestPostgres, type TestPostgres } from '../testing/index.js';
import { splitNames } from './auto-conf.js';
import { changeSettings, findOverrides, type Journal, type OpenChange, restoreSettings } from './index.js';

const majors = [...new Set((await findInstallations()).map(({ major }) => major))].filter(
  (major) => major === 15 || major === 18,
);
const options = { server: 'primary', reason: 'a test' } as const;

/** What the control plane keeps, in memory. */
class TestJournal implements Journal {
  readonly open = new Map<string, OpenChange>();
  readonly resolved: { setting: string; state: string; note?: string }[] = [];
  #next = 1;

  async intend(changes: Omit<OpenChange, 'id'>[]): Promise<OpenChange[]> {
    return changes.map((change) => {
      const entry = { ...change, id: `change_${this.#next++}` };
      this.open.set(entry.id, entry);
      return entry;
    });
  }

  async resolve(id: string, state: string, note?: string): Promise<void> {
    this.resolved.push({ setting: this.open.get(id)?.setting ?? '?', state, ...(note && { note }) });
    this.open.delete(id);
  }
}

describe.each(majors)('PostgreSQL %i', (major) => {
  let server: TestPostgres;
  let admin: pg.Client;
  const jsonlog = major >= 15 ? 'stderr,jsonlog' : 'stderr,csvlog';

  const autoConf = async () =>
    (await readFile(join(server.instance.dataDirectory, 'postgresql.auto.conf'), 'utf8'))
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
  const fresh = (name: string) =>
    withConnection(
      server.url,
      {},
      async (client) => (await client.query('select current_setting($1) as value', [name])).rows[0].value,
    );

  beforeAll(async () => {
    server = await startTestPostgres({ major });
    admin = await connect(server.url);
  });
  afterEach(async () => {
    await admin.query('alter system reset all');
    await admin.query('select pg_reload_conf()');
  });
  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  test('changes without a restart, in force at once, and restores exactly', async () => {
    await admin.query("alter system set work_mem = '12345kB'");
    await admin.query('select pg_reload_conf()');
    const before = await autoConf();
    const startedAt = (await admin.query('select pg_postmaster_start_time() as at')).rows[0].at;
    const journal = new TestJournal();
    const changes = await changeSettings(
      server.url,
      {
        log_min_duration_statement: '0',
        log_destination: jsonlog,
        work_mem: '8MB',
        log_line_prefix: "%m [%p] it's \\ ",
      },
      journal,
      options,
    );
    expect(await fresh('log_min_duration_statement')).toBe('0');
    expect(await fresh('log_destination')).toBe(jsonlog);
    expect(await fresh('work_mem')).toBe('8MB');
    expect(await fresh('log_line_prefix')).toBe("%m [%p] it's \\ ");
    expect(changes.map(({ setting, before }) => [setting, before.autoConf])).toEqual([
      ['log_min_duration_statement', null],
      ['log_destination', null],
      ['work_mem', '12345kB'],
      ['log_line_prefix', null],
    ]);
    expect(changes[2]!.before).toMatchObject({ value: '12345kB', source: 'configuration file' });
    expect(await restoreSettings(server.url, changes, journal)).toEqual(
      changes.map(({ setting }) => ({ setting, outcome: 'RESTORED' })),
    );
    expect(await autoConf()).toEqual(before);
    expect(await fresh('log_min_duration_statement')).toBe('-1');
    expect(await fresh('work_mem')).toBe('12345kB');
    expect(journal.open.size).toBe(0);
    expect((await admin.query('select pg_postmaster_start_time() as at')).rows[0].at).toEqual(startedAt);
  });

  test('lists of quoted names survive the round trip', async () => {
    await admin.query(`alter system set search_path = "$user", 'Odd Name', public`);
    const before = await autoConf();
    const journal = new TestJournal();
    const changes = await changeSettings(
      server.url,
      { search_path: '"Other One", pg_catalog' },
      journal,
      options,
    );
    expect(splitNames(await fresh('search_path'))).toEqual(['Other One', 'pg_catalog']);
    await restoreSettings(server.url, changes, journal);
    expect(await autoConf()).toEqual(before);
  });

  test('of several lines for one setting, the last is the one that counted', async () => {
    await admin.query("alter system set work_mem = '5MB'");
    const { appendFile } = await import('node:fs/promises');
    await appendFile(join(server.instance.dataDirectory, 'postgresql.auto.conf'), "WORK_MEM = '7MB'\n");
    const journal = new TestJournal();
    const [change] = await changeSettings(server.url, { work_mem: '9MB' }, journal, options);
    expect(change!.before.autoConf).toBe('7MB');
    await restoreSettings(server.url, [change!], journal);
    expect(await fresh('work_mem')).toBe('7MB');
  });

  test("the owner's change in between is kept, and said", async () => {
    const journal = new TestJournal();
    const changes = await changeSettings(
      server.url,
      { work_mem: '8MB', log_min_duration_statement: '0', log_lock_waits: 'on' },
      journal,
      options,
    );
    await admin.query("alter system set work_mem = '99MB'");
    await admin.query('alter system reset log_min_duration_statement');
    const restored = await restoreSettings(server.url, changes, journal);
    expect(restored).toEqual([
      { setting: 'work_mem', outcome: 'KEPT_THEIRS', note: expect.stringContaining('99MB') },
      {
        setting: 'log_min_duration_statement',
        outcome: 'RESTORED',
        note: expect.stringContaining('already'),
      },
      { setting: 'log_lock_waits', outcome: 'RESTORED' },
    ]);
    expect(await autoConf()).toEqual(["work_mem = '99MB'"]);
    expect(await restoreSettings(server.url, changes, journal)).toMatchObject([
      { outcome: 'KEPT_THEIRS' },
      { outcome: 'RESTORED' },
      { outcome: 'RESTORED' },
    ]);
    expect(await autoConf()).toEqual(["work_mem = '99MB'"]);
  });

  test('a line that its owner removed, where there had been one, stays removed', async () => {
    await admin.query("alter system set work_mem = '5MB'");
    const journal = new TestJournal();
    const changes = await changeSettings(server.url, { work_mem: '8MB' }, journal, options);
    await admin.query('alter system reset work_mem');
    expect(await restoreSettings(server.url, changes, journal)).toMatchObject([
      { outcome: 'KEPT_THEIRS', note: expect.stringContaining('removed') },
    ]);
    expect(await autoConf()).toEqual([]);
  });

  test('a crash between the journal and the change leaves nothing to undo', async () => {
    const journal = new TestJournal();
    const changes = await journal.intend([
      {
        server: 'primary',
        setting: 'work_mem',
        before: { autoConf: null, value: '4MB', source: 'default' },
        ours: '8MB',
      },
    ]);
    expect(await restoreSettings(server.url, changes, journal)).toEqual([
      { setting: 'work_mem', outcome: 'RESTORED', note: expect.stringContaining('already as before') },
    ]);
  });

  test('a crash after the line was put back, before the reload: the second restore brings it into force', async () => {
    const journal = new TestJournal();
    const changes = await changeSettings(server.url, { work_mem: '8MB' }, journal, options);
    await admin.query('alter system reset work_mem');
    expect(await fresh('work_mem')).toBe('8MB');
    await restoreSettings(server.url, changes, journal);
    expect(await fresh('work_mem')).toBe('4MB');
  });

  test('when one change fails, those before it are taken back', async () => {
    await admin.query("alter system set work_mem = '5MB'");
    const before = await autoConf();
    const journal = new TestJournal();
    await expect(
      changeSettings(server.url, { work_mem: '8MB', log_min_duration_statement: 'soon' }, journal, options),
    ).rejects.toMatchObject({ code: 'SETTING_REFUSED', where: 'log_min_duration_statement' });
    expect(await autoConf()).toEqual(before);
    expect(journal.open.size).toBe(0);
    expect(journal.resolved.map(({ state }) => state)).toEqual(['RESTORED', 'RESTORED']);
  });

  test('an abort half-way takes everything back', async () => {
    const controller = new AbortController();
    const journal = new TestJournal();
    const slow: Journal = {
      intend: async (changes) => {
        const open = await journal.intend(changes);
        controller.abort();
        return open;
      },
      resolve: (id, state, note) => journal.resolve(id, state, note),
    };
    await expect(
      changeSettings(server.url, { work_mem: '8MB' }, slow, { ...options, signal: controller.signal }),
    ).rejects.toThrow();
    expect(await autoConf()).toEqual([]);
    expect(journal.open.size).toBe(0);
  });

  test('nothing is journalled or changed where a change is refused', async () => {
    const journal = new TestJournal();
    await admin.query('create role app login');
    await admin.query("alter role postgres in database postgres set work_mem = '6MB'");
    try {
      const refused: [Record<string, string>, object][] = [
        [
          { shared_buffers: '64MB' },
          { code: 'RESTART_NEEDED', message: expect.stringContaining('shared_buffers') },
        ],
        [{ server_version: '19' }, { code: 'SETTING_REFUSED' }],
        [{ no_such_thing: '1' }, { code: 'UNKNOWN_SETTING' }],
        [{ log_line_prefix: 'a\nb' }, { code: 'INVALID_INPUT' }],
        [
          { work_mem: '8MB' },
          {
            code: 'SETTING_OVERRIDDEN',
            message: expect.stringContaining('ALTER ROLE postgres IN DATABASE postgres SET'),
          },
        ],
      ];
      for (const [values, error] of refused) {
        await expect(changeSettings(server.url, values, journal, options)).rejects.toMatchObject(error);
      }
      const asApp = server.url.replace('postgres@', 'app@');
      await expect(
        changeSettings(asApp, { log_min_duration_statement: '0' }, journal, options),
      ).rejects.toMatchObject({
        code: 'MISSING_PRIVILEGE',
        message: expect.stringMatching(
          /ALTER SYSTEM on log_min_duration_statement.*pg_reload_conf.*pg_file_settings.*pg_read_all_settings/,
        ),
        hint: expect.stringContaining('GRANT ALTER SYSTEM ON PARAMETER log_min_duration_statement TO "app"'),
      });
      expect(journal.open.size + journal.resolved.length).toBe(0);
      expect(await autoConf()).toEqual([]);
    } finally {
      await admin.query('alter role postgres in database postgres reset all');
      await admin.query('drop role app');
    }
  });

  test('the privileges that the error names are enough', async () => {
    await admin.query('create role tuner login');
    const asTuner = server.url.replace('postgres@', 'tuner@');
    const journal = new TestJournal();
    try {
      const error = await changeSettings(
        asTuner,
        { log_min_duration_statement: '0' },
        journal,
        options,
      ).catch((thrown) => thrown);
      await admin.query(error.hint.replace('As a superuser: ', ''));
      const changes = await changeSettings(asTuner, { log_min_duration_statement: '0' }, journal, options);
      expect(await fresh('log_min_duration_statement')).toBe('0');
      expect(await restoreSettings(asTuner, changes, journal)).toEqual([
        { setting: 'log_min_duration_statement', outcome: 'RESTORED' },
      ]);
    } finally {
      await admin.query('drop owned by tuner');
      await admin.query('drop role tuner');
    }
  });

  test('roles and databases that keep their own value are told', async () => {
    await admin.query('create role loud');
    await admin.query("alter role loud set log_min_duration_statement = '-1'");
    await admin.query("alter database template1 set log_min_duration_statement = '5s'");
    try {
      const journal = new TestJournal();
      const told: unknown[] = [];
      const changes = await changeSettings(server.url, { log_min_duration_statement: '0' }, journal, {
        ...options,
        onOverride: (found) => told.push(...found),
      });
      expect(told).toEqual([
        { setting: 'log_min_duration_statement', by: 'role', role: 'loud', value: '-1' },
        { setting: 'log_min_duration_statement', by: 'database', database: 'template1', value: '5s' },
      ]);
      await restoreSettings(server.url, changes, journal);
      expect(await findOverrides(admin, ['Listen_Addresses'])).toMatchObject([
        { by: 'command line', value: '127.0.0.1' },
      ]);
    } finally {
      await admin.query('alter database template1 reset all');
      await admin.query('drop role loud');
    }
  });

  test('works on a standby, and its own lines only', async () => {
    const standby = await startReplica(server);
    try {
      const journal = new TestJournal();
      const changes = await changeSettings(standby.url, { log_min_duration_statement: '0' }, journal, {
        ...options,
        server: 'replica',
      });
      expect(await fresh('log_min_duration_statement')).toBe('-1');
      await withConnection(standby.url, {}, async (client) => {
        expect((await client.query('show log_min_duration_statement')).rows).toEqual([
          { log_min_duration_statement: '0' },
        ]);
      });
      expect(await restoreSettings(standby.url, changes, journal)).toMatchObject([{ outcome: 'RESTORED' }]);
    } finally {
      await standby.stop();
    }
  });
});

test.each([
  ['"$user", public', ['$user', 'public']],
  ['a,b', ['a', 'b']],
  ['"a ""b"""', ['a "b"']],
  ['', []],
])('splitNames %s', (list, names) => {
  expect(splitNames(list)).toEqual(names);
});
