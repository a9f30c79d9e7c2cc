import { chmod, lstat, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reachableInstallation } from './reachable-installation.js';
import { blockingFolder, ensureReachable, giveTree, parsePasswd } from './run-as.js';
import { testFolder } from './testing/index.js';

const isRoot = process.getuid?.() === 0;
const stranger = { name: 'stranger', uid: 54_321, gid: 54_321 };
let root: string;
beforeAll(async () => {
  root = await testFolder();
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('parsePasswd leaves out root and broken lines', () => {
  const text = 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\nbad line\nodd:x:-2:-2::/:\n';
  expect(parsePasswd(text)).toEqual([{ name: 'nobody', uid: 65_534, gid: 65_533 }]);
});

describe('ensureReachable', () => {
  test('names the folder that blocks and the remedy', async () => {
    const closed = join(root, 'closed');
    const deep = join(closed, 'a', 'b');
    await mkdir(deep, { recursive: true });
    await expect(ensureReachable(deep, stranger, 'the folder')).resolves.toBeUndefined();
    await chmod(closed, 0o700);
    await expect(ensureReachable(deep, stranger, 'the folder')).rejects.toMatchObject({
      code: 'FOLDER_NOT_REACHABLE',
      where: closed,
      hint: expect.stringContaining(`chmod o+x ${closed}`),
    });
    await expect(ensureReachable(deep, undefined, 'the folder')).resolves.toBeUndefined();
  });
});

describe.runIf(isRoot)('as root', () => {
  test('giveTree gives everything, the top last', async () => {
    const tree = join(root, 'tree');
    await mkdir(join(tree, 'sub'), { recursive: true });
    await writeFile(join(tree, 'sub', 'file'), '');
    await giveTree(tree, stranger);
    for (const path of [tree, join(tree, 'sub'), join(tree, 'sub', 'file')])
      expect((await lstat(path)).uid).toBe(stranger.uid);
  });

  test('an installation in a closed folder is copied once to where the account can run it', async () => {
    const checkout = await mkdtemp(join(tmpdir(), 'otto-closed-'));
    try {
      const source = join(checkout, 'native');
      for (const folder of ['bin', 'lib', 'share'])
        await mkdir(join(source, folder), { recursive: true, mode: 0o700 });
      const postgres = join(source, 'bin', 'postgres');
      await writeFile(postgres, '#!/bin/sh\necho "postgres (PostgreSQL) 18.9"\n', { mode: 0o700 });
      const bin = join(source, 'bin');
      const installation = {
        major: 18,
        version: '18.9',
        bin,
        source: 'given' as const,
        tools: { postgres, initdb: postgres, pg_ctl: postgres },
      };
      expect(await blockingFolder(postgres, stranger)).toBe(checkout);
      const cache = join(root, 'cache');
      const copies = await Promise.all(
        [1, 2, 3].map(() => reachableInstallation(installation, stranger, cache)),
      );
      expect(new Set(copies.map((copy) => copy.bin)).size).toBe(1);
      expect(copies[0]!.bin.startsWith(cache)).toBe(true);
      const { stdout } = await execa(copies[0]!.tools.postgres, ['--version'], {
        uid: stranger.uid,
        gid: stranger.gid,
        cwd: '/',
      });
      expect(stdout).toContain('18.9');
      const made = (await stat(copies[0]!.bin)).ctimeMs;
      expect((await stat((await reachableInstallation(installation, stranger, cache)).bin)).ctimeMs).toBe(
        made,
      );
      await chmod(cache, 0o777);
      await expect(reachableInstallation(installation, stranger, cache)).rejects.toMatchObject({
        code: 'UNSAFE_FOLDER',
      });
    } finally {
      await rm(checkout, { recursive: true, force: true });
    }
  });
});
