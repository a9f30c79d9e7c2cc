import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../postgres/testing/index.js';
import { record } from '../log/log.fixtures.js';
import { asAdmin, MemoryJournal, startLoggingServer } from '../testing/support.js';
import { captureWorkload } from './capture.js';
import { chooseFormat, wantedSettings } from './log-settings.js';
import { Marker } from './marker.js';
import { captureMethods } from './methods.js';
import { isEnglish } from './preflight.js';
import type { CaptureOptions } from './types.js';

let out: string;
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'otto-preflight-'));
});
afterAll(() => rm(out, { recursive: true, force: true }));

const options = (url: string, more: Partial<CaptureOptions> = {}): CaptureOptions => ({
  url,
  server: 'primary',
  seconds: 1,
  method: 'auto',
  journal: new MemoryJournal(),
  outDirectory: out,
  limits: { baselineMs: 1, minimumFreeBytes: 1 },
  ...more,
});

describe('the settings of a capture', () => {
  const now = {
    log_destination: 'stderr',
    log_min_duration_statement: '-1',
    log_parameter_max_length: '-1',
    log_min_error_statement: 'error',
    log_min_messages: 'warning',
    log_error_verbosity: 'default',
    log_connections: '',
    log_disconnections: 'off',
  };
  const of = (more: Record<string, string>) => new Map(Object.entries({ ...now, ...more }));

  it('change only what does not serve', () => {
    expect(wantedSettings(of({}), 'jsonlog')).toEqual({
      log_destination: 'stderr,jsonlog',
      log_min_duration_statement: '0',
      log_connections: 'on',
      log_disconnections: 'on',
    });
    const ready = {
      log_destination: 'syslog, jsonlog',
      log_min_duration_statement: '0',
      log_connections: 'receipt,authorization',
      log_disconnections: 'on',
    };
    expect(wantedSettings(of(ready), 'jsonlog')).toEqual({});
    expect(
      wantedSettings(
        of({
          ...ready,
          log_min_messages: 'fatal',
          log_min_error_statement: 'panic',
          log_error_verbosity: 'terse',
          log_parameter_max_length: '0',
        }),
        'jsonlog',
      ),
    ).toEqual({
      log_min_messages: 'error',
      log_min_error_statement: 'error',
      log_error_verbosity: 'default',
      log_parameter_max_length: '-1',
    });
  });

  it('keep to the format that the owner has', () => {
    expect(chooseFormat(of({}), 18)).toBe('jsonlog');
    expect(chooseFormat(of({}), 14)).toBe('csvlog');
    expect(chooseFormat(of({ log_destination: 'stderr,csvlog' }), 18)).toBe('csvlog');
  });
});

describe('a server whose log is not collected', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startTestPostgres({ settings: { logging_collector: 'off' } });
  });
  afterAll(() => server.stop());

  it('is left alone, with the reason', async () => {
    const journal = new MemoryJournal();
    await expect(captureWorkload(options(server.url, { journal }))).rejects.toMatchObject({
      code: 'LOG_NOT_COLLECTED',
      hint: expect.stringContaining('restart'),
    });
    expect(journal.changes.size).toBe(0);
    expect((await captureMethods(server.url))[0]).toMatchObject({
      method: 'log',
      possible: false,
      hint: expect.any(String),
    });
  });

  it.each(['statements', 'proxy', 'import'])(
    'is not captured by "%s", which is refused by name',
    async (method) => {
      await expect(captureWorkload(options(server.url, { method: method as 'log' }))).rejects.toMatchObject({
        code: 'METHOD_NOT_AVAILABLE',
      });
    },
  );
});

describe('a server with a collected log', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startLoggingServer(15);
  });
  afterAll(() => server.stop());

  const as = (user: string) => server.url.replace(/\/\/[^@]*@/, `//${user}@`);

  it('names the grants that are missing', async () => {
    await asAdmin(server.url, (admin) => admin.query('create role weak login'));
    await expect(captureWorkload(options(as('weak')))).rejects.toMatchObject({
      code: 'LOG_NOT_READABLE',
      hint: expect.stringMatching(/GRANT pg_monitor TO "weak".*pg_read_binary_file/),
    });
    expect((await captureMethods(server.url))[0]).toMatchObject({ method: 'log', possible: true });
  });

  it('can be captured by a role that is no superuser', async () => {
    await asAdmin(server.url, async (admin) => {
      await admin.query(`
        create role watcher login;
        grant pg_monitor to watcher;
        grant execute on function pg_read_binary_file(text, bigint, bigint, boolean), pg_reload_conf(),
              pg_show_all_file_settings() to watcher;
        grant select on pg_file_settings to watcher`);
      for (const setting of [
        'log_destination',
        'log_min_duration_statement',
        'log_parameter_max_length_on_error',
        'log_connections',
        'log_disconnections',
      ]) {
        await admin.query(`grant alter system on parameter ${setting} to watcher`);
      }
    });
    const { manifest } = await captureWorkload(
      options(as('watcher'), { limits: { baselineMs: 1, minimumFreeBytes: 1, readThroughSql: true } }),
    );
    expect(manifest.log.readThrough).toBe('sql');
    expect(manifest.lost).toEqual([]);
  });

  it('names the roles whose sessions keep their own settings', async () => {
    await asAdmin(server.url, async (admin) => {
      await admin.query('create role quiet');
      await admin.query('alter role quiet set log_min_duration_statement = -1');
    });
    try {
      const { manifest } = await captureWorkload(options(server.url));
      expect(manifest.lost).toMatchObject([{ what: 'statements of role quiet', count: null }]);
    } finally {
      await asAdmin(server.url, (admin) => admin.query('drop role quiet'));
    }
  });

  it('is not captured where the disk has no room, and nothing was changed', async () => {
    const journal = new MemoryJournal();
    await expect(
      captureWorkload(
        options(server.url, { journal, limits: { minimumFreeBytes: Number.MAX_SAFE_INTEGER } }),
      ),
    ).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(journal.changes.size).toBe(0);
  });
});

describe('a log in another language', () => {
  it('is refused, by its setting or by what it says of our own statement', async () => {
    expect(['', 'C', 'C.UTF-8', 'POSIX', 'en_GB.UTF-8', 'en_US'].every(isEnglish)).toBe(true);
    expect(['de_DE.UTF-8', 'fr_FR', 'english_x_de'].some(isEnglish)).toBe(false);
    let text = '';
    const marker = new Marker();
    await marker.runWith(async (sql) => {
      text = sql;
    });
    expect(() => marker.look(record({ line: 1, message: `Dauer: 0,1 ms  Anweisung: ${text}` }))).toThrow(
      expect.objectContaining({ code: 'LOG_NOT_ENGLISH' }),
    );
    expect(marker.look(record({ line: 1, message: `duration: 0.1 ms  statement: ${text}` }))).toBe(true);
  });
});
