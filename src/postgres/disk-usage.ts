import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes that a tree takes on disk, links not followed. What vanishes meanwhile counts nothing. */
export async function diskUsage(path: string): Promise<number> {
  try {
    const info = await lstat(path);
    if (!info.isDirectory()) return info.blocks * 512;
    let bytes = info.blocks * 512;
    for (const name of await readdir(path)) bytes += await diskUsage(join(path, name));
    return bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
