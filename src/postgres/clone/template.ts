import pg from 'pg';
import type { ProgressSink } from '../../base/index.js';
import { cancellable } from '../backup/cancellable.js';
import { connect } from '../connect.js';
import type { ServerInfo } from '../describe-server.js';
import { samePath } from '../paths.js';
import { parseUrl, withDatabase } from '../url.js';
import { cloneFolder, cloneIds, readMarker } from './clone-folder.js';
import type { CloneRequest } from './types.js';

export interface TemplatePlan {
  /** The database that is copied, and the one that is made. */
  from: string;
  to: string;
  /** The clone of ours that the server is; absent for another server. */
  parentId?: string;
  /** For a database other than the one copied: nobody may be connected to that. */
  maintenanceUrl: string;
}

/** Copying block by block through the WAL is quicker below about this size; above, copying files is. */
const walLogBytes = 32 * 1024 * 1024;

/** CREATE DATABASE … TEMPLATE works in a server that may be written, on a database that nobody uses. */
export async function considerTemplate(
  request: CloneRequest,
  client: pg.ClientBase,
  info: ServerInfo,
): Promise<{ why: string; plan?: TemplatePlan }> {
  const url = request.source!.url;
  const from = request.database ?? parseUrl(url).database;
  if (info.isStandby) return { why: 'a standby cannot be written' };
  const { rows } = await client.query<{ may: boolean; sessions: number }>(
    `select r.rolsuper or r.rolcreatedb and (d.datistemplate or pg_has_role(d.datdba, 'usage')) as may,
            (select count(*)::int from pg_stat_activity a
              where a.datid = d.oid and a.pid <> pg_backend_pid() and a.backend_type = 'client backend') as sessions
       from pg_database d, pg_roles r
      where d.datname = $1 and r.rolname = current_user`,
    [from],
  );
  const row = rows[0];
  if (row === undefined) return { why: `there is no database ${from}` };
  if (!row.may)
    return { why: `the role may not create a database from ${from} (CREATEDB and ownership, or superuser)` };
  if (row.sessions > 0) {
    return {
      why: `${row.sessions} other session${row.sessions === 1 ? ' is' : 's are'} connected to ${from}, and a template must have none`,
    };
  }
  const parentId = await parentClone(request.root, info);
  const to = `otto_${request.id.toLowerCase().replaceAll('-', '_')}`.slice(0, 63);
  const maintenanceUrl = withDatabase(url, from === 'postgres' ? 'template1' : 'postgres');
  const where = parentId === undefined ? 'this server itself, which is not a clone' : `the clone ${parentId}`;
  return {
    why: `${from} can be copied to ${to} in ${where}`,
    plan: { from, to, maintenanceUrl, ...(parentId !== undefined && { parentId }) },
  };
}

async function parentClone(root: string, info: ServerInfo): Promise<string | undefined> {
  if (info.dataDirectory === null) return undefined;
  for (const id of await cloneIds(root)) {
    if (!(await samePath(cloneFolder(root, id).dataDirectory, info.dataDirectory))) continue;
    const marker = await readMarker(root, id).catch(() => undefined);
    return marker && id;
  }
  return undefined;
}

/** @returns Size of the new database in bytes. */
export async function createFromTemplate(
  plan: TemplatePlan,
  info: ServerInfo,
  options: { signal?: AbortSignal; progress?: ProgressSink },
): Promise<number> {
  const client = await connect(plan.maintenanceUrl, { signal: options.signal });
  const to = pg.escapeIdentifier(plan.to);
  try {
    const size = info.databases.find(({ name }) => name === plan.from)?.sizeBytes ?? 0;
    const strategy = info.major < 15 ? '' : ` strategy ${size < walLogBytes ? 'wal_log' : 'file_copy'}`;
    options.progress?.({ phase: 'copying', total: size, unit: 'bytes' });
    await cancellable(client, plan.maintenanceUrl, options.signal, () =>
      client.query(`create database ${to} template ${pg.escapeIdentifier(plan.from)}${strategy}`),
    );
    const { rows } = await client.query<{ bytes: number }>('select pg_database_size($1)::float8 as bytes', [
      plan.to,
    ]);
    return rows[0]!.bytes;
  } finally {
    await client.end().catch(() => {});
  }
}
