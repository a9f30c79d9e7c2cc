import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { type Logger, OttoError, type ProgressSink } from '../../base/index.js';
import { connect } from '../connect.js';
import type { ServerInfo } from '../describe-server.js';
import { startBackup, stopBackup } from './backup-session.js';
import { cancellable } from './cancellable.js';
import { type Copied, canReflink, copyFiles, copyProgress } from './copy-files.js';
import { type CopyPlan, planCopy } from './copy-plan.js';
import { type LocalSource, readControlFile } from './local-source.js';
import { parseLsn, segmentOf } from './lsn.js';
import { requireSpace } from './space.js';

export interface FileCopyRequest {
  url: string;
  info: ServerInfo;
  source: LocalSource;
  /** An empty folder, or one that does not exist. */
  dataDirectory: string;
  /** Where its tablespaces go, one folder each. */
  tablespaces: string;
  signal?: AbortSignal;
  progress?: ProgressSink;
  logger: Logger;
}

export interface BackupResult extends Omit<Copied, 'vanished'> {
  tool: 'pg_basebackup' | 'file copy' | 'reflink';
  /** Where the copy is consistent; known where we took the backup ourselves. */
  lsn?: string;
}

/**
 * Copies the data directory of a running primary or standby as a base backup: between the start and the stop of the
 * backup API, held open by one connection, with the WAL that recovery needs to become consistent.
 * @throws OttoError NO_SPACE, WAL_GONE, TABLESPACES_CHANGED, CANCELLED.
 */
export async function copyDataDirectory(request: FileCopyRequest): Promise<BackupResult> {
  const { info, source, dataDirectory, progress } = request;
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  await chmod(dataDirectory, 0o700);
  const reflink = await canReflink(join(source.dataDirectory, 'PG_VERSION'), dataDirectory);
  progress?.({ phase: 'measuring' });
  const estimate = await plan(request);
  await requireSpace(dataDirectory, reflink ? 0 : estimate.bytes);
  const client = await connect(request.url, { signal: request.signal });
  try {
    progress?.({ phase: 'starting the backup', message: 'waiting for a checkpoint' });
    const start = await cancellable(client, request.url, request.signal, () =>
      startBackup(client, info.major, request.logger),
    );
    // Listed anew: what came into being before the start is in no WAL of the copy.
    const files = await plan(request);
    const copied = await copyFiles(files, {
      reflink,
      signal: request.signal,
      onBytes: copyProgress(files.bytes, progress),
    });
    // Last, because on a standby it says how far recovery must come for all that was copied before it.
    await writeFile(
      join(dataDirectory, 'global', 'pg_control'),
      await readControlFile(source.dataDirectory),
      { mode: 0o600 },
    );
    progress?.({ phase: 'ending the backup' });
    const end = await cancellable(client, request.url, request.signal, () => stopBackup(client, info.major));
    await refuseChangedTablespaces(request, estimate);
    const wal = await copyWal(request, client, start, end.lsn, reflink);
    await refuseChangedTablespaces(request, estimate);
    await writeFile(join(dataDirectory, 'backup_label'), end.labelFile, { mode: 0o600 });
    const map = redirectTablespaces(end.tablespaceMap, files);
    if (map !== '') await writeFile(join(dataDirectory, 'tablespace_map'), map, { mode: 0o600 });
    return {
      tool: reflink ? 'reflink' : 'file copy',
      lsn: end.lsn,
      bytes: copied.bytes + wal.bytes,
      copiedBytes: copied.copiedBytes + wal.copiedBytes,
    };
  } finally {
    // Ends the backup, where it has not been ended, and drops the temporary slot.
    await client.end().catch(() => {});
  }
}

function plan({ source, dataDirectory, tablespaces, info }: FileCopyRequest): Promise<CopyPlan> {
  return planCopy({
    source: source.dataDirectory,
    destination: dataDirectory,
    tablespaces,
    logFolders: source.logFolders,
    major: info.major,
  });
}

async function copyWal(
  request: FileCopyRequest,
  client: pg.ClientBase,
  start: string,
  end: string,
  reflink: boolean,
): Promise<Copied> {
  const { rows } = await client.query<{ bytes: number }>(
    "select setting::int as bytes from pg_settings where name = 'wal_segment_size'",
  );
  const segmentBytes = rows[0]!.bytes;
  const first = parseLsn(start) / BigInt(segmentBytes);
  const last = (parseLsn(end) - 1n) / BigInt(segmentBytes);
  const from = join(request.source.dataDirectory, 'pg_wal');
  const to = join(request.dataDirectory, 'pg_wal');
  const names = await readdir(from);
  const segments = names.filter((name) => {
    if (!/^[0-9A-F]{24}$/.test(name)) return false;
    const segment = segmentOf(name, segmentBytes);
    return segment >= first && segment <= last;
  });
  const histories = names.filter((name) => /^[0-9A-F]{8}\.history$/.test(name));
  const files = [
    ...segments.map((name) => ({ name, bytes: segmentBytes })),
    ...histories.map((name) => ({ name, bytes: 0 })),
  ];
  const copied = await copyFiles(
    {
      directories: [to],
      files: files.map(({ name, bytes }) => ({ from: join(from, name), to: join(to, name), bytes })),
      links: [],
      tablespaceOids: [],
      bytes: segments.length * segmentBytes,
    },
    {
      reflink,
      signal: request.signal,
      onBytes: (done) =>
        request.progress?.({
          phase: 'copying WAL',
          done,
          total: segments.length * segmentBytes,
          unit: 'bytes',
        }),
    },
  );
  const have = new Set(
    (await readdir(to)).filter((name) => name.length === 24).map((name) => segmentOf(name, segmentBytes)),
  );
  for (let segment = first; segment <= last; segment += 1n) {
    if (have.has(segment)) continue;
    throw new OttoError(
      'WAL_GONE',
      `the server removed WAL between ${start} and ${end} before it was copied`,
      {
        transient: true,
        hint: 'Let the server keep it: raise wal_keep_size, or leave a replication slot free (max_replication_slots).',
      },
    );
  }
  return copied;
}

/**
 * Replaying CREATE TABLESPACE would make the copy use the folder of the source, which is on this very host.
 */
async function refuseChangedTablespaces({ source }: FileCopyRequest, files: CopyPlan): Promise<void> {
  const names = (await readdir(join(source.dataDirectory, 'pg_tblspc'))).filter((name) => /^\d+$/.test(name));
  if (names.sort().join() === [...files.tablespaceOids].sort().join()) return;
  throw new OttoError('TABLESPACES_CHANGED', 'tablespaces were created or dropped while the copy was made', {
    transient: true,
    hint: 'Try again.',
  });
}

/** The same map with our folders: recovery makes the links from it, and the source's folders must stay untouched. */
export function redirectTablespaces(map: string, files: CopyPlan): string {
  const ours = new Map(files.links.map(({ to }) => [to.slice(to.lastIndexOf('/') + 1), to]));
  return map
    .split('\n')
    .filter((line) => /^\d+ /.test(line))
    .map((line) => {
      const oid = line.slice(0, line.indexOf(' '));
      const location = ours.get(oid);
      return location === undefined
        ? line
        : `${oid} ${location.replaceAll('\\', '\\\\').replaceAll('\n', '\\\n')}`;
    })
    .map((line) => `${line}\n`)
    .join('');
}
