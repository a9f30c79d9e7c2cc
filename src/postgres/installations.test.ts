import { lstat, mkdir, readlink, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repairLinks } from './embedded-installation.js';
import { findInstallations, installationFor } from './installations.js';
import { testFolder } from './testing/index.js';

let root: string;
beforeAll(async () => {
  root = await testFolder();
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('findInstallations', () => {
  test('finds the embedded one, newest first', async () => {
    const found = await findInstallations();
    const embedded = found.find(({ source }) => source === 'embedded');
    expect(embedded).toMatchObject({ major: 18, version: expect.stringMatching(/^18\.\d+/) });
    expect(embedded!.tools.pg_basebackup).toBeUndefined();
    expect(found.map(({ major }) => major)).toEqual(found.map(({ major }) => major).sort((a, b) => b - a));
    expect(new Set(found.map(({ bin }) => bin)).size).toBe(found.length);
  });

  test('a folder given twice, through a link, or without a server does no harm', async () => {
    const [first] = await findInstallations();
    const link = join(root, 'bin');
    await symlink(first!.bin, link);
    await mkdir(join(root, 'none'));
    const found = await findInstallations({ also: [link, link, join(root, 'none'), join(root, 'missing')] });
    expect(found.filter(({ bin }) => bin === first!.bin)).toHaveLength(1);
  });

  test('passes over a program that is not PostgreSQL, and says so', async () => {
    const bin = join(root, 'fake');
    await mkdir(bin);
    for (const tool of ['postgres', 'initdb', 'pg_ctl'])
      await writeFile(join(bin, tool), '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    expect((await findInstallations({ also: [bin] })).some((found) => found.bin === bin)).toBe(false);
    await expect(installationFor(7, { also: [bin] })).rejects.toMatchObject({
      code: 'POSTGRES_NOT_FOUND',
      message: expect.stringContaining(bin),
      hint: expect.stringContaining('postgresql-7'),
    });
  });
});

describe('repairLinks', () => {
  test('makes the missing links once, also with several at the same time', async () => {
    const folder = join(root, 'package');
    const lib = join(folder, 'native', 'lib');
    await mkdir(lib, { recursive: true });
    await writeFile(join(lib, 'liba.so.1.2'), 'a');
    const links = ['liba.so', 'liba.so.1'].map((name) => ({
      source: 'native/lib/liba.so.1.2',
      target: `native/lib/${name}`,
    }));
    await writeFile(join(folder, 'native', 'pg-symlinks.json'), JSON.stringify(links));
    await Promise.all(Array.from({ length: 8 }, () => repairLinks(folder)));
    expect(await readlink(join(lib, 'liba.so.1'))).toBe('liba.so.1.2');
    expect(await repairLinks(folder)).toBe(0);
    await unlink(join(lib, 'liba.so'));
    await symlink('gone', join(lib, 'liba.so'));
    expect(await repairLinks(folder)).toBe(1);
    await unlink(join(lib, 'liba.so'));
    await writeFile(join(lib, 'liba.so'), 'a real file');
    expect(await repairLinks(folder)).toBe(0);
    expect((await lstat(join(lib, 'liba.so'))).isFile()).toBe(true);
  });

  test('never writes outside the package', async () => {
    const folder = join(root, 'evil');
    await mkdir(join(folder, 'native'), { recursive: true });
    await writeFile(
      join(folder, 'native', 'pg-symlinks.json'),
      JSON.stringify([{ source: 'native/x', target: '../escaped' }]),
    );
    await expect(repairLinks(folder)).rejects.toMatchObject({ code: 'OUTSIDE_ROOT' });
  });
});
