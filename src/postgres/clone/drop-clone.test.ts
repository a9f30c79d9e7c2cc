import { cp, mkdir, readdir, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exists } from '../../base/index.js';
import { withConnection } from '../connect.js';
import { startTestPostgres, type TestPostgres, testFolder } from '../testing/index.js';
import { connectionUrl } from '../url.js';
import { createClone, dropClone, listClones } from './index.js';

/** Syncing many small files is slow, and nothing here outlives the machine. */
const fast = { settings: { fsync: 'off' } };

let root: string;
let production: TestPostgres;
beforeAll(async () => {
  root = await testFolder();
  production = await startTestPostgres();
  await mkdir(join(root, 'clones'));
});
afterAll(async () => {
  await production?.stop();
  await rm(root, { recursive: true, force: true });
});

async function expectProductionAlive(): Promise<void> {
  await withConnection(production.url, {}, (client) => client.query('select 1'));
  expect(await exists(join(production.instance.dataDirectory, 'PG_VERSION'))).toBe(true);
}

describe('what is not a clone of ours is neither stopped nor deleted', () => {
  test.each(['..', '.', '../clones', '/etc', 'a/b', '', 'a\0b', '.otto'])('the id %j', async (id) => {
    await expect(dropClone(root, id)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test("the primary's port frees nothing", async () => {
    expect(await dropClone(root, String(production.instance.port))).toEqual({ freedBytes: 0 });
    await expectProductionAlive();
  });

  test('a folder without a marker, even a data directory whose server runs', async () => {
    const foreign = join(root, 'clones', 'foreign');
    await mkdir(foreign);
    await symlink(production.instance.dataDirectory, join(foreign, 'data'));
    await expect(dropClone(root, 'foreign')).rejects.toMatchObject({ code: 'NOT_OUR_CLONE' });
    expect(await readdir(foreign)).toEqual(['data']);
    await rm(foreign, { recursive: true });
    await expectProductionAlive();
  });

  test('a link to a data directory, with a marker put there', async () => {
    const link = join(root, 'clones', 'link');
    const elsewhere = join(root, 'elsewhere');
    await mkdir(elsewhere);
    await writeFile(
      join(elsewhere, '.otto-clone.json'),
      JSON.stringify({ id: 'link', createdAt: '', key: 'k' }),
    );
    await symlink(elsewhere, link);
    await expect(dropClone(root, 'link')).rejects.toMatchObject({
      code: 'NOT_OUR_CLONE',
      message: expect.stringContaining('link'),
    });
    expect(await readdir(elsewhere)).toEqual(['.otto-clone.json']);
    await unlink(link);
  });

  test("a clone whose data folder is a link to the primary's", async () => {
    const clone = join(root, 'clones', 'hollow');
    await mkdir(clone);
    await writeFile(
      join(clone, '.otto-clone.json'),
      JSON.stringify({ id: 'hollow', createdAt: '', key: 'k' }),
    );
    await symlink(production.instance.dataDirectory, join(clone, 'data'));
    await expect(dropClone(root, 'hollow')).rejects.toMatchObject({ code: 'NOT_OUR_CLONE' });
    await expectProductionAlive();
    await rm(clone, { recursive: true });
  });

  test('a marker of another clone', async () => {
    const clone = join(root, 'clones', 'copied');
    await mkdir(clone);
    await writeFile(
      join(clone, '.otto-clone.json'),
      JSON.stringify({ id: 'original', createdAt: '', key: 'k' }),
    );
    await expect(dropClone(root, 'copied')).rejects.toMatchObject({
      code: 'NOT_OUR_CLONE',
      message: expect.stringContaining('original'),
    });
    await rm(clone, { recursive: true });
  });

  test("a pid file that names the primary's process", async () => {
    const clone = await createClone({ limits: fast, id: 'forged', root, method: 'empty' });
    const { freedBytes } = await (async () => {
      await withConnection(connectionUrl(clone.connection), {}, (client) => client.query('select 1'));
      const { runningPostmaster } = await import('../postmaster.js');
      process.kill((await runningPostmaster(clone.dataDirectory))!.pid, 'SIGQUIT');
      while (await runningPostmaster(clone.dataDirectory))
        await new Promise((resolve) => setImmediate(resolve));
      await cp(
        join(production.instance.dataDirectory, 'postmaster.pid'),
        join(clone.dataDirectory, 'postmaster.pid'),
      );
      return dropClone(root, 'forged');
    })();
    expect(freedBytes).toBeGreaterThan(10_000_000);
    await expectProductionAlive();
  });
});

test('dropping is idempotent, and can be taken up again after it was cut off', async () => {
  const clone = await createClone({ limits: fast, id: 'twice', root, method: 'empty', key: 'run_1/launch' });
  expect(await listClones(root)).toMatchObject([
    { id: 'twice', key: 'run_1/launch', running: true, createdAt: expect.stringMatching(/^2\d{3}-/) },
  ]);
  expect((await dropClone(root, 'twice')).freedBytes).toBeGreaterThan(10_000_000);
  expect(await dropClone(root, 'twice')).toEqual({ freedBytes: 0 });
  expect(await exists(clone.dataDirectory)).toBe(false);
  const half = join(root, 'clones', 'half');
  await mkdir(join(half, 'data', 'base'), { recursive: true });
  await writeFile(join(half, '.otto-clone.json'), JSON.stringify({ id: 'half', createdAt: '', key: 'k' }));
  await dropClone(root, 'half');
  await mkdir(half);
  await dropClone(root, 'half');
  expect(await listClones(root)).toEqual([]);
  expect(await exists(half)).toBe(false);
});
