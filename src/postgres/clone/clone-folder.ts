import { lstat, mkdir, readdir, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { exists, InputError, inside, newId, OttoError, readJson, writeJson } from '../../base/index.js';
import type { CloneMethod } from './types.js';

const markerName = '.otto-clone.json';
const idPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** Written before anything else of a clone: only what carries it may be stopped or deleted. */
export interface CloneMarker {
  id: string;
  createdAt: string;
  /** What asked for the clone. */
  key: string;
  method?: CloneMethod;
  /** Whom its socket lets in as the owner of everything. */
  superuser?: string;
  /** Of a `template` clone: the database made, in the clone or the server that it was made in. */
  database?: { name: string; parentId?: string; server: string };
}

/** Where the parts of a clone lie. */
export interface CloneFolder {
  path: string;
  dataDirectory: string;
  tablespaces: string;
  socketDirectory: string;
  logFile: string;
}

export function cloneFolder(root: string, id: string): CloneFolder {
  if (!idPattern.test(id)) {
    throw new InputError(`"${id}" is not an id for a clone`, {
      hint: 'Use letters, digits, "-" and "_", at most 63.',
    });
  }
  const path = inside(resolve(root), 'clones', id);
  return {
    path,
    dataDirectory: join(path, 'data'),
    tablespaces: join(path, 'tablespaces'),
    socketDirectory: join(path, 'socket'),
    logFile: join(path, 'server.log'),
  };
}

/** @throws OttoError CLONE_EXISTS */
export async function makeCloneFolder(
  root: string,
  id: string,
  key: string | undefined,
): Promise<CloneFolder> {
  const folder = cloneFolder(root, id);
  // Others must be able to pass through to a server under another account; what is secret lies deeper.
  await mkdir(join(resolve(root), 'clones'), { recursive: true, mode: 0o711 });
  try {
    await mkdir(folder.path, { mode: 0o711 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new OttoError('CLONE_EXISTS', `there is a clone ${id} already in ${root}`, {
      where: folder.path,
      hint: 'Drop it first, or choose another id.',
    });
  }
  await writeMarker(folder, { id, createdAt: new Date().toISOString(), key: key ?? newId('clone') });
  return folder;
}

export async function writeMarker(folder: CloneFolder, marker: CloneMarker): Promise<void> {
  await writeJson(join(folder.path, markerName), marker);
}

export function markerPath(folder: CloneFolder): string {
  return join(folder.path, markerName);
}

/**
 * The marker of a clone's folder, having made sure that the folder is really one of ours.
 * @returns Undefined where there is no such folder.
 * @throws OttoError NOT_OUR_CLONE for a folder without our marker, or one that is reached through a link.
 */
export async function readMarker(root: string, id: string): Promise<CloneMarker | undefined> {
  const folder = cloneFolder(root, id);
  const refuse = (why: string) =>
    new OttoError('NOT_OUR_CLONE', `${folder.path} is not touched: ${why}`, {
      where: folder.path,
      hint: 'Only clones that Ottopilot made in this root are stopped and deleted.',
    });
  try {
    await lstat(folder.path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if ((await realpath(folder.path)) !== join(await realpath(root), 'clones', id))
    throw refuse('it is reached through a link');
  for (const path of [folder.path, folder.dataDirectory, folder.tablespaces, folder.socketDirectory]) {
    const info = await lstat(path).catch(() => undefined);
    if (info && !info.isDirectory()) throw refuse(`${path} is not a folder`);
  }
  const marker = await readJson<CloneMarker>(markerPath(folder)).catch(() => undefined);
  if (marker?.id === id) return marker;
  // Nothing yet or nothing any more: made a moment before a crash, or deleted up to the last step.
  if (marker === undefined && (await readdir(folder.path)).length === 0)
    return { id, createdAt: '', key: '' };
  throw refuse(marker === undefined ? `it has no ${markerName}` : `its ${markerName} names ${marker.id}`);
}

/** Ids of the folders in `root`/clones, whether or not they are clones of ours. */
export async function cloneIds(root: string): Promise<string[]> {
  const path = join(resolve(root), 'clones');
  if (!(await exists(path))) return [];
  return (await readdir(path)).filter((name) => idPattern.test(name)).sort();
}
