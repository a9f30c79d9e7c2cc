import { chmod, cp, lstat, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { exists, newId, OttoError, sha256 } from '../base/index.js';
import type { Installation } from './installations.js';
import { type Account, blockingFolder } from './run-as.js';

/**
 * The installation itself where the account can run it; else a copy of it in a folder that the account can reach,
 * made once for all servers (a checkout below /root is closed to everyone else).
 * @param cacheDirectory Where the copies are kept; by default a folder of ours in the system's temporary folder.
 */
export async function reachableInstallation(
  installation: Installation,
  account: Account | undefined,
  cacheDirectory?: string,
): Promise<Installation> {
  if (!account || (await blockingFolder(installation.tools.postgres, account)) === undefined)
    return installation;
  const source = dirname(installation.bin);
  for (const needed of ['lib', 'share']) {
    if (!(await exists(join(source, needed)))) {
      throw new OttoError(
        'FOLDER_NOT_REACHABLE',
        `the account ${account.name} cannot run ${installation.bin}, and ${source} has no ${needed} folder to copy along`,
        {
          where: installation.bin,
          hint: 'Make its folders passable for others (chmod o+x), or install PostgreSQL in a public place.',
        },
      );
    }
  }
  const { mtimeMs, size } = await stat(installation.tools.postgres);
  const key = `${installation.version}-${sha256(`${source}\n${mtimeMs}\n${size}`).slice(0, 16)}`;
  const cache = await safeCache(cacheDirectory ?? join(tmpdir(), 'otto-postgres'));
  const copy = join(cache, key);
  if (!(await exists(copy))) await copyInstallation(source, copy);
  const blocked = await blockingFolder(join(copy, 'bin', 'postgres'), account);
  if (blocked !== undefined) {
    throw new OttoError('FOLDER_NOT_REACHABLE', `the account ${account.name} cannot enter ${blocked}`, {
      where: blocked,
      hint: `chmod o+x ${blocked}, or name another cache folder.`,
    });
  }
  const moved = (path: string) => join(copy, 'bin', relative(installation.bin, path));
  const tools = Object.fromEntries(
    Object.entries(installation.tools).map(([name, path]) => [name, moved(path)]),
  );
  return { ...installation, bin: join(copy, 'bin'), tools: tools as Installation['tools'] };
}

/** The temporary folder is everyone's: what stands there must be ours, or a stranger's program would be run. */
async function safeCache(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o755 });
  const info = await lstat(path);
  if (!info.isDirectory() || info.uid !== process.getuid?.() || (info.mode & 0o022) !== 0) {
    throw new OttoError('UNSAFE_FOLDER', `${path} is not a folder that only we can write`, {
      where: path,
      hint: 'Remove it, or name another cache folder.',
    });
  }
  return path;
}

async function copyInstallation(source: string, copy: string): Promise<void> {
  const temporary = `${copy}.${newId('copying')}`;
  try {
    await cp(source, temporary, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    await openForAll(temporary);
    await rename(temporary, copy).catch(async (error: NodeJS.ErrnoException) => {
      // Another process was first: its copy is as good.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function openForAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openForAll(path);
    else if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o100) !== 0 ? 0o755 : 0o644);
  }
}
