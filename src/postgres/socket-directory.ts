import { chown, lstat, mkdir, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { exists, OttoError, sha256 } from '../base/index.js';
import type { Account } from './run-as.js';

/** Bytes that a socket's path may have: sun_path less its final NUL (macOS and the BSDs have four fewer). */
const longestPath = process.platform === 'linux' ? 107 : 103;

/** Whether a server can put its socket there: the folder, and `/.s.PGSQL.65535`. */
export function fitsSocket(directory: string): boolean {
  return Buffer.byteLength(join(directory, '.s.PGSQL.65535')) <= longestPath;
}

/** The folder for sockets of a data directory whose own path is too long: short, and always the same one. */
export async function shortSocketDirectory(dataDirectory: string): Promise<string> {
  const key = sha256(await realpath(dataDirectory).catch(() => resolve(dataDirectory))).slice(0, 12);
  return join((await exists('/tmp')) ? '/tmp' : tmpdir(), `otto-${key}`);
}

/** Makes the folder where it is missing, closed to everyone but the server's account. One that is there stays as it is. */
export async function prepareSocketDirectory(directory: string, account: Account | undefined): Promise<void> {
  const made = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (made !== undefined) {
    if (account) await chown(directory, account.uid, account.gid);
    return;
  }
  const info = await lstat(directory);
  if (!info.isDirectory() || ![process.getuid?.(), account?.uid].includes(info.uid)) {
    throw new OttoError(
      'UNSAFE_FOLDER',
      `${directory}, meant for the server's socket, belongs to someone else`,
      {
        where: directory,
        hint: 'Remove it, or name another folder for the socket.',
      },
    );
  }
}
