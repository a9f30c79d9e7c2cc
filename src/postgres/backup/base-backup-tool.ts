import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type pg from 'pg';
import { OttoError, type ProgressSink } from '../../base/index.js';
import { connectForReplication, withConnection } from '../connect.js';
import { describeServer, type ServerInfo } from '../describe-server.js';
import { diskUsage } from '../disk-usage.js';
import type { Installation } from '../installations.js';
import { type Account, ensureReachable, spawnAs } from '../run-as.js';
import { serverEnvironment } from '../server-process.js';
import { parseUrl } from '../url.js';
import { throwIfCancelled } from './copy-files.js';
import type { BackupResult } from './file-copy.js';
import { requireSpace } from './space.js';

/** Of the WAL that is streamed beside the data. */
const walBytes = 64 * 1024 * 1024;

/** How libpq's own programs are told where to connect: never on the command line, where everyone could read it. */
export function libpqEnvironment(url: string): NodeJS.ProcessEnv {
  const { host, port, user, password, database, parameters } = parseUrl(url);
  const tls = {
    sslmode: 'PGSSLMODE',
    sslrootcert: 'PGSSLROOTCERT',
    sslcert: 'PGSSLCERT',
    sslkey: 'PGSSLKEY',
  };
  return {
    ...serverEnvironment(),
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
    PGAPPNAME: 'ottopilot',
    PGCONNECT_TIMEOUT: '10',
    ...(password !== undefined && { PGPASSWORD: password }),
    ...Object.fromEntries(
      Object.entries(tls).flatMap(([name, variable]) =>
        parameters[name] ? [[variable, parameters[name]]] : [],
      ),
    ),
  };
}

/** Why the replication protocol cannot be used with this URL; undefined where it can. */
export async function replicationBarrier(
  url: string,
  client: pg.ClientBase,
  info: ServerInfo,
): Promise<string | undefined> {
  if (!info.mayReplicate) return 'the role lacks the attribute REPLICATION';
  const { rows } = await client.query<{ level: string; free: number }>(
    `select current_setting('wal_level') as level,
            current_setting('max_wal_senders')::int - (select count(*)::int from pg_stat_replication) as free`,
  );
  if (rows[0]!.level === 'minimal') return 'wal_level is minimal';
  if (rows[0]!.free < 2) return `${rows[0]!.free} of max_wal_senders are free, and it takes two`;
  try {
    const replication = await connectForReplication(url);
    await replication.end();
    return undefined;
  } catch (error) {
    return `the replication protocol is refused: ${(error as Error).message}`;
  }
}

/** Takes a base backup with pg_basebackup, as plain files, tablespaces redirected into `tablespaces`. */
export async function runBaseBackup(request: {
  url: string;
  info: ServerInfo;
  installation: Installation;
  dataDirectory: string;
  tablespaces: string;
  account: Account | undefined;
  signal?: AbortSignal;
  progress?: ProgressSink;
}): Promise<BackupResult> {
  const { info, dataDirectory, tablespaces, account, progress } = request;
  for (const folder of [dataDirectory, tablespaces]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (account) await chown(folder, account.uid, account.gid);
  }
  await ensureReachable(dataDirectory, account, 'the data directory');
  await requireSpace(dataDirectory, info.sizeBytes + walBytes);
  const mapping = info.tablespaces
    .filter(({ location }) => location.startsWith('/'))
    .flatMap(({ oid, location }) => [
      '--tablespace-mapping',
      `${escapeMapping(location)}=${escapeMapping(join(tablespaces, String(oid)))}`,
    ]);
  const arguments_ = [
    ...['--pgdata', dataDirectory, '--format=plain', '--wal-method=stream', '--checkpoint=fast'],
    // The server syncs everything itself before it begins recovery.
    ...['--progress', '--no-password', '--no-sync', ...mapping],
  ];
  progress?.({ phase: 'starting the backup', message: 'waiting for a checkpoint' });
  const child = execa(request.installation.tools.pg_basebackup!, arguments_, {
    ...spawnAs(account),
    cwd: dataDirectory,
    env: libpqEnvironment(request.url),
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    // It forks a process that streams the WAL and outlives it when it is killed: both are ended as a group.
    detached: true,
  });
  const abort = () => endGroup(child.pid);
  request.signal?.addEventListener('abort', abort, { once: true });
  if (request.signal?.aborted) abort();
  child.stderr.on('data', (chunk: Buffer) => {
    const report = [...String(chunk).matchAll(/(\d+)\/(\d+) kB/g)].at(-1);
    if (report)
      progress?.({
        phase: 'copying',
        done: Number(report[1]) * 1024,
        total: Number(report[2]) * 1024,
        unit: 'bytes',
      });
  });
  const result = await child.finally(() => request.signal?.removeEventListener('abort', abort));
  throwIfCancelled(request.signal);
  if (result.failed) {
    const full = /No space left on device|Disk quota exceeded/.test(result.stderr);
    const lines = result.stderr.split(/[\r\n]+/).filter((line) => line.includes('pg_basebackup: '));
    throw new OttoError(
      full ? 'NO_SPACE' : 'BACKUP_FAILED',
      `pg_basebackup failed: ${lines.slice(-4).join('; ') || (result.shortMessage ?? 'it ended early').split('\n')[0]}`,
      {
        where: dataDirectory,
        ...(full && { hint: 'Free space there, or put the copies on another file system.' }),
      },
    );
  }
  await refuseNewTablespaces(request.url, info);
  const bytes = (await diskUsage(dataDirectory)) + (await diskUsage(tablespaces));
  return { tool: 'pg_basebackup', bytes, copiedBytes: bytes };
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function escapeMapping(path: string): string {
  return path.replaceAll('=', '\\=');
}

/** Recovery of the copy would use the very folder of a tablespace that was created meanwhile. */
async function refuseNewTablespaces(url: string, info: ServerInfo): Promise<void> {
  const now = await withConnection(url, {}, describeServer);
  const key = ({ tablespaces }: ServerInfo) => tablespaces.map(({ oid }) => oid).join();
  if (key(now) === key(info)) return;
  throw new OttoError('TABLESPACES_CHANGED', 'tablespaces were created or dropped while the copy was made', {
    transient: true,
    hint: 'Try again.',
  });
}
