import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../postgres/index.js';
import { startTestPostgres } from '../../postgres/testing/index.js';
import { collectorNamed, collectors, describeCollector, loadCollectors, runCollector } from './index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'otto-plugins-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function plugin(name: string, source: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, source);
  return path;
}

/** The body of a module with one collector; `z` is the toolkit's. */
const body = (type: string, rest = '') => `export const collectors = ({ z }) => [{
  type: '${type}', summary: 'For a test.', config: z.object({}), result: z.object({}),
  setup: async () => {}, collect: async () => ({}), cleanup: async () => {}, ${rest} }];`;

describe('the example of docs/collectors.md', () => {
  it('loads and collects as it stands there', async () => {
    const document = await readFile(
      fileURLToPath(new URL('../../../docs/collectors.md', import.meta.url)),
      'utf8',
    );
    const [, source] = /```js\n([\s\S]*?)```/.exec(document)!;
    const loaded = await loadCollectors([await plugin('lock-waits.mjs', source!)]);
    expect(loaded.map(({ type }) => type)).toEqual(['LOCK_WAITS']);
    const collector = collectorNamed('LOCK_WAITS', loaded);
    expect(describeCollector(collector).configSchema).toMatchObject({
      properties: { longerThanMs: { default: 0 } },
    });

    const server = await startTestPostgres();
    const holder = await connect(server.url);
    const waiter = await connect(server.url);
    try {
      await holder.query('CREATE TABLE t (id int)');
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE t');
      const { rows } = await waiter.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const waiting = waiter.query('SELECT * FROM t');
      let waits: unknown[] = [];
      while (waits.length === 0) {
        const { result, manifest } = await runCollector(collector, {
          url: server.url,
          role: 'primary',
          outDirectory: folder,
        });
        waits = (result as { waits: unknown[] }).waits;
        expect(manifest).toMatchObject({
          collector: 'LOCK_WAITS',
          holdsUserData: false,
          server: { database: 'postgres' },
        });
      }
      expect(waits).toMatchObject([{ pid: rows[0]!.pid, blockedBy: [expect.any(Number)] }]);
      await holder.query('COMMIT');
      await waiting;
    } finally {
      await holder.end();
      await waiter.end();
      await server.stop();
    }
  });
});

describe('loadCollectors', () => {
  it('takes lists and functions, and modules that bring commands only', async () => {
    const one = await plugin('one.mjs', body('ONE'));
    const none = await plugin('none.mjs', 'export const commands = [];');
    expect((await loadCollectors([one, none])).map(({ type }) => type)).toEqual(['ONE']);
  });

  const rejected: [string, string, RegExp][] = [
    ['has the name of a built-in one', body('CATALOG'), /CATALOG is already registered by a built-in/],
    ['exports nothing known', 'export const collector = {};', /exports neither `collectors` nor `commands`/],
    ['exports something else', 'export const collectors = 7;', /neither a list nor a function/],
    ['throws while it is loaded', 'throw new Error("boom");', /cannot be imported: boom/],
    [
      'has a function that throws',
      'export const collectors = () => { throw new Error("bang"); };',
      /function failed: bang/,
    ],
    [
      'lacks parts',
      'export const collectors = [{ type: "lower", summary: "" }];',
      /\[0\]\.type.*summary.*config.*setup/,
    ],
    ['has odd roles', body('ODD', "roles: ['master'],"), /roles: expected a list of clone, replica, primary/],
  ];
  it.each(rejected)('refuses a module that %s', async (name, source, message) => {
    const path = await plugin(`${name.replaceAll(' ', '-')}.mjs`, source);
    await expect(loadCollectors([path])).rejects.toMatchObject({
      code: 'COLLECTOR_MODULE',
      where: path,
      message: expect.stringMatching(message),
    });
  });

  it('refuses two of one type, and modules that are not there', async () => {
    const a = await plugin('a.mjs', body('SAME'));
    const b = await plugin('b.mjs', body('SAME'));
    await expect(loadCollectors([a, b])).rejects.toThrow(
      /b\.mjs: collector SAME is already registered by .*a\.mjs/,
    );
    await expect(loadCollectors([join(folder, 'gone.mjs')])).rejects.toThrow(/gone\.mjs: cannot be imported/);
    await expect(loadCollectors(['no-such-package-of-anyone'])).rejects.toMatchObject({
      code: 'COLLECTOR_MODULE',
    });
  });
});

describe('registry', () => {
  it('describes every collector as JSON Schema', () => {
    for (const collector of collectors) {
      const { configSchema, resultSchema, roles } = describeCollector(collector);
      expect(configSchema).toMatchObject({ type: 'object' });
      expect(resultSchema).toMatchObject({ type: 'object', properties: expect.anything() });
      expect(roles.length).toBeGreaterThan(0);
    }
  });

  it('lists what there is when a type is unknown', () => {
    expect(() => collectorNamed('BENCHBASE')).toThrow(/no data collector "BENCHBASE"/);
    try {
      collectorNamed('X');
    } catch (error) {
      expect(error).toMatchObject({
        code: 'UNKNOWN_COLLECTOR',
        hint: expect.stringMatching(/BENCHMARK, CATALOG/),
      });
    }
  });
});
