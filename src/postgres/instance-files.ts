import { chmod, chown, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './run-as.js';

const settingsFile = 'otto.conf';
const includeLine = `include_if_exists = '${settingsFile}'`;

/** `'value'` as configuration files write it. */
export function quoteValue(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

export function formatSettings(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${quoteValue(value)}\n`)
    .join('');
}

/** Settings go into a file of their own, not onto the command line, so that ALTER SYSTEM can still change them. */
export async function writeSettings(
  dataDirectory: string,
  settings: Record<string, string>,
  account: Account | undefined,
): Promise<void> {
  await writeOwned(join(dataDirectory, settingsFile), formatSettings(settings), account);
  const main = join(dataDirectory, 'postgresql.conf');
  const text = await readFile(main, 'utf8');
  if (!text.split('\n').includes(includeLine))
    await writeOwned(main, `${text.trimEnd()}\n${includeLine}\n`, account);
}

export type HbaMethods = { socket: 'trust' | 'scram-sha-256'; tcp: 'trust' | 'scram-sha-256' };

/** Only this machine is let in, whatever listen_addresses may become. */
export async function writeHba(
  dataDirectory: string,
  methods: HbaMethods,
  account: Account | undefined,
): Promise<void> {
  const lines = ['all', 'replication'].flatMap((database) => [
    `local ${database} all ${methods.socket}`,
    `host ${database} all 127.0.0.1/32 ${methods.tcp}`,
    `host ${database} all ::1/128 ${methods.tcp}`,
  ]);
  await writeOwned(join(dataDirectory, 'pg_hba.conf'), `${lines.join('\n')}\n`, account);
}

/** A file that the server can read and no one else. */
export async function writeOwned(path: string, text: string, account: Account | undefined): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  await chmod(path, 0o600);
  if (account) await chown(path, account.uid, account.gid);
}
