import { constants } from 'node:fs';
import { access, open, readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type pg from 'pg';
import type { ServerInfo } from '../describe-server.js';
import { readPidFile } from '../postmaster.js';
import { backupFunctions } from './backup-session.js';

/** A server whose data directory can be read from here. */
export interface LocalSource {
  dataDirectory: string;
  /** Folders inside it that hold logs, relative to it. */
  logFolders: string[];
}

/**
 * Finds the data directory of a server on this host, and makes sure that it is this server's and not that of another
 * one at the same path (in another container, or a sibling standby).
 * @returns The directory, or why it cannot be had.
 */
export async function findLocalSource(
  client: pg.ClientBase,
  info: ServerInfo,
): Promise<LocalSource | { why: string }> {
  const { dataDirectory } = info;
  if (dataDirectory === null)
    return { why: 'the role may not see data_directory (grant pg_read_all_settings)' };
  for (const signature of backupFunctions(info.major)) {
    const { rows } = await client.query<{ may: boolean }>(
      "select has_function_privilege($1, 'execute') as may",
      [signature],
    );
    if (!rows[0]!.may) return { why: `the role may not call ${signature}` };
  }
  if (info.systemIdentifier === null) return { why: 'the role may not call pg_control_system()' };
  try {
    await access(dataDirectory, constants.R_OK | constants.X_OK);
    if ((await readSystemIdentifier(dataDirectory)) !== info.systemIdentifier) {
      return { why: `${dataDirectory} on this host is the data directory of another cluster` };
    }
    const noted = await readPidFile(dataDirectory);
    if (
      noted?.port !== info.port ||
      Math.abs(noted.startedAt.getTime() - info.startedAt.getTime()) > 60_000
    ) {
      return { why: `${dataDirectory} on this host is the data directory of another server` };
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return { why: `its data directory ${dataDirectory} is not on this host` };
    if (code === 'EACCES' || code === 'EPERM')
      return { why: `its data directory ${dataDirectory} cannot be read by this account` };
    throw error;
  }
  const { rows } = await client.query<{ folder: string }>(
    "select current_setting('log_directory') as folder",
  );
  const folder = rows[0]!.folder;
  return { dataDirectory, logFolders: isAbsolute(folder) ? [] : [folder.replace(/\/+$/, '')] };
}

/** The cluster's identifier: the first eight bytes of pg_control, in the machine's order. */
async function readSystemIdentifier(dataDirectory: string): Promise<string> {
  const control = await readFile(join(dataDirectory, 'global', 'pg_control'));
  const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  return String(little ? control.readBigUInt64LE(0) : control.readBigUInt64BE(0));
}

/** pg_control while its server runs: read until two readings agree, because a write may be caught half done. */
export async function readControlFile(dataDirectory: string): Promise<Buffer> {
  let last = Buffer.alloc(0);
  for (let tries = 0; tries < 50; tries += 1) {
    const file = await open(join(dataDirectory, 'global', 'pg_control'), 'r');
    try {
      const now = await file.readFile();
      if (now.equals(last)) return now;
      last = now;
    } finally {
      await file.close();
    }
  }
  throw new Error('pg_control changed with every reading');
}
