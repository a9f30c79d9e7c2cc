import { mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import getPort from 'get-port';
import { sha256 } from '../base/index.js';
import type { Output } from './output.js';

/**
 * The data folder, or, for root in a checkout that other accounts cannot enter (such as one below /root), one that
 * they can: PostgreSQL does not run as root, so the account it runs under must be able to pass through.
 */
export async function usableDataFolder(folder: string, out: Output): Promise<string> {
  const wanted = resolve(folder);
  if (process.getuid?.() !== 0) return wanted;
  await mkdir(wanted, { recursive: true });
  const blocked = await firstClosed(wanted);
  if (blocked === undefined) return wanted;
  const instead = insteadOf(wanted);
  await mkdir(instead, { recursive: true });
  out.note(
    `data folder: ${instead} (PostgreSQL does not run as root, and other accounts cannot pass through ${blocked})`,
  );
  return instead;
}

/** Where `usableDataFolder` puts it when it cannot be where it is wanted. */
export function insteadOf(folder: string): string {
  return join('/var/lib/ottopilot', sha256(resolve(folder)).slice(0, 12));
}

/** `wanted`, or a free port when that one is taken. */
export async function freePort(wanted: number): Promise<number> {
  return await getPort({ port: wanted, host: '127.0.0.1' });
}

async function firstClosed(path: string): Promise<string | undefined> {
  for (let at = path; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return at;
    if (dirname(at) === at) return undefined;
  }
}
