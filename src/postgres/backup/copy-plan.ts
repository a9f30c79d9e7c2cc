import { readdir, readlink, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export interface CopyFile {
  from: string;
  to: string;
  bytes: number;
}

/** What has to be copied for a base backup, WAL and pg_control left out. */
export interface CopyPlan {
  directories: string[];
  files: CopyFile[];
  links: { path: string; to: string }[];
  tablespaceOids: string[];
  bytes: number;
}

/** Their contents mean nothing to another server, or are made anew by every start; the folders must be there. */
const emptied = new Set([
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);

const temporaryFile = /^pgsql_tmp|^pg_internal\.init|\.tmp$/;
const temporaryRelation = /^t\d+_\d+(_(fsm|vm|init))?(\.\d+)?$/;
const relation = /^(\d+)(?:_(fsm|vm|init))?(?:\.\d+)?$/;

/**
 * Lists a data directory for copying. Configuration stays behind (the copy gets its own), and so do logs, sockets,
 * the pid file, temporary files, and the contents of unlogged tables, which recovery would empty anyway.
 * Tablespaces go into `tablespaces`/<oid>, never back to where they are.
 */
export async function planCopy(request: {
  source: string;
  destination: string;
  tablespaces: string;
  logFolders: string[];
  major: number;
}): Promise<CopyPlan> {
  const { source, destination } = request;
  const plan: CopyPlan = { directories: [destination], files: [], links: [], tablespaceOids: [], bytes: 0 };
  for (const name of await readdir(source)) {
    const from = join(source, name);
    const to = join(destination, name);
    const info = await statOrGone(from);
    if (name === 'PG_VERSION' && info) addFile(plan, from, to, info.size);
    if (!info?.isDirectory() || request.logFolders.includes(name)) continue;
    if (name === 'pg_wal') plan.directories.push(to, join(to, 'archive_status'));
    else if (emptied.has(name)) plan.directories.push(to);
    else if (name === 'pg_tblspc') await addTablespaces(plan, from, to, request);
    else await addTree(plan, from, to, name === 'global');
  }
  return plan;
}

async function addTablespaces(
  plan: CopyPlan,
  from: string,
  to: string,
  { tablespaces, major }: { tablespaces: string; major: number },
): Promise<void> {
  plan.directories.push(to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (!/^\d+$/.test(entry.name)) continue;
    plan.tablespaceOids.push(entry.name);
    if (entry.isDirectory()) {
      await addTree(plan, join(from, entry.name), join(to, entry.name), false);
      continue;
    }
    const location = resolve(from, await readlink(join(from, entry.name)));
    const copy = join(tablespaces, entry.name);
    plan.directories.push(copy);
    plan.links.push({ path: join(to, entry.name), to: copy });
    // The folder may be shared with other major versions (pg_upgrade).
    for (const name of (await readdir(location)).filter((name) => name.startsWith(`PG_${major}_`))) {
      await addTree(plan, join(location, name), join(copy, name), false);
    }
  }
}

async function addTree(plan: CopyPlan, from: string, to: string, isGlobal: boolean): Promise<void> {
  plan.directories.push(to);
  const entries = await readdir(from, { withFileTypes: true }).catch(gone);
  const unlogged = new Set<string>();
  for (const { name } of entries) {
    const match = relation.exec(name);
    if (match?.[2] === 'init') unlogged.add(match[1]!);
  }
  for (const entry of entries) {
    const { name } = entry;
    if (temporaryFile.test(name) || temporaryRelation.test(name) || (isGlobal && name === 'pg_control'))
      continue;
    const match = relation.exec(name);
    if (match && match[2] !== 'init' && unlogged.has(match[1]!)) continue;
    if (entry.isDirectory()) await addTree(plan, join(from, name), join(to, name), false);
    else if (entry.isFile()) {
      const info = await statOrGone(join(from, name));
      if (info) addFile(plan, join(from, name), join(to, name), info.size);
    }
  }
}

function addFile(plan: CopyPlan, from: string, to: string, bytes: number): void {
  plan.files.push({ from, to, bytes });
  plan.bytes += bytes;
}

/** Files come and go while the server runs; what is gone was dropped, and the WAL knows. */
async function statOrGone(path: string) {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

function gone(error: NodeJS.ErrnoException): never[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
