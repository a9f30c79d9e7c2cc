import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { OttoError } from '../../base/index.js';
import { withConnection } from '../connect.js';
import { diskUsage } from '../disk-usage.js';
import { runningPostmaster } from '../postmaster.js';
import { stopServer } from '../server-process.js';
import { shortSocketDirectory } from '../socket-directory.js';
import { formatUrl } from '../url.js';
import {
  type CloneFolder,
  type CloneMarker,
  cloneFolder,
  cloneIds,
  markerPath,
  readMarker,
} from './clone-folder.js';
import type { CloneInfo } from './types.js';

const stopTimeoutMs = 60_000;

/**
 * Stops a clone and deletes all of it. Harmless to repeat: a clone that is gone frees nothing.
 * @param options.url For a `template` clone in a server that is not a clone of ours: how to reach that server.
 * @throws OttoError NOT_OUR_CLONE for anything that carries no marker of ours or is reached through a link;
 * InputError for an id that is not one; CLONE_NEEDS_URL; STOP_TIMEOUT.
 */
export async function dropClone(
  root: string,
  id: string,
  options: { url?: string } = {},
): Promise<{ freedBytes: number }> {
  const folder = cloneFolder(root, id);
  const marker = await readMarker(root, id);
  if (marker === undefined) return { freedBytes: 0 };
  if (marker.database) await dropDatabase(root, marker, options.url);
  // Asks the operating system for the server of exactly this folder: no port and no number from a file is trusted.
  const postmaster = await runningPostmaster(folder.dataDirectory);
  if (postmaster) await stopServer(postmaster.pid, folder.dataDirectory, 'immediate', stopTimeoutMs);
  const short = await shortSocketDirectory(folder.dataDirectory);
  const freedBytes = await diskUsage(folder.path);
  await removeFolder(folder);
  await rm(short, { recursive: true, force: true });
  return { freedBytes };
}

/** The marker goes last: a removal that is cut off can be taken up again. */
async function removeFolder(folder: CloneFolder): Promise<void> {
  const marker = markerPath(folder);
  for (const name of await readdir(folder.path)) {
    const path = join(folder.path, name);
    if (path !== marker) await rm(path, { recursive: true, force: true });
  }
  await rm(marker, { force: true });
  await rmdir(folder.path);
}

async function dropDatabase(root: string, marker: CloneMarker, url: string | undefined): Promise<void> {
  const { name, parentId, server } = marker.database!;
  const at = parentId === undefined ? url : await parentUrl(root, parentId);
  // Its parent is gone, and with it the database.
  if (at === undefined && parentId !== undefined) return;
  if (at === undefined) {
    throw new OttoError('CLONE_NEEDS_URL', `the clone ${marker.id} is the database ${name} in ${server}`, {
      hint: 'Give the connection string of that server.',
    });
  }
  await withConnection(at, {}, async (client) => {
    const { rows } = await client.query<{ version: number }>(
      "select current_setting('server_version_num')::int as version",
    );
    const force = rows[0]!.version >= 130_000 ? ' with (force)' : '';
    await client.query(`drop database if exists ${pg.escapeIdentifier(name)}${force}`);
  });
}

async function parentUrl(root: string, id: string): Promise<string | undefined> {
  const marker = await readMarker(root, id);
  if (marker === undefined) return undefined;
  const { dataDirectory } = cloneFolder(root, id);
  const postmaster = await runningPostmaster(dataDirectory);
  if (!postmaster?.socketDirectory) {
    throw new OttoError('CONNECT_REFUSED', `the clone ${id}, in which the database was made, does not run`, {
      where: dataDirectory,
      hint: `Drop the clone ${id}: the database goes with it.`,
    });
  }
  const { socketDirectory: host, port } = postmaster;
  return formatUrl({ host, port, user: marker.superuser ?? 'postgres', database: 'template1' });
}

/** The clones in `root`, whoever made them: other folders there are passed over. */
export async function listClones(root: string): Promise<CloneInfo[]> {
  const clones: CloneInfo[] = [];
  for (const id of await cloneIds(root)) {
    const marker = await readMarker(root, id).catch((error) => {
      if (error instanceof OttoError && error.code === 'NOT_OUR_CLONE') return undefined;
      throw error;
    });
    if (marker === undefined) continue;
    const { dataDirectory } = cloneFolder(root, id);
    clones.push({
      id,
      ...(marker.key !== '' && { key: marker.key }),
      ...(marker.method && { method: marker.method }),
      dataDirectory,
      running: (await runningPostmaster(dataDirectory)) !== undefined,
      createdAt: marker.createdAt,
    });
  }
  return clones;
}
