import { mkdir } from 'node:fs/promises';
import pg from 'pg';
import type { Logger } from '../../base/index.js';
import { runBaseBackup } from '../backup/base-backup-tool.js';
import { carriedSettings } from '../backup/carried-settings.js';
import { configureCopy } from '../backup/configure.js';
import { type BackupResult, copyDataDirectory } from '../backup/file-copy.js';
import { requireSpace } from '../backup/space.js';
import { withConnection } from '../connect.js';
import type { ServerInfo } from '../describe-server.js';
import { diskUsage } from '../disk-usage.js';
import type { Installation } from '../installations.js';
import { PostgresInstance } from '../instance.js';
import { writeHba } from '../instance-files.js';
import { ensureReachable, giveTree, serverAccount } from '../run-as.js';
import { type CloneConnection, connectionUrl, parseUrl } from '../url.js';
import { type CloneFolder, readMarker, writeMarker } from './clone-folder.js';
import type { BackupPlan, DumpPlan } from './consider.js';
import { dumpInto } from './dump.js';
import { planLimits } from './limits.js';
import { createFromTemplate, type TemplatePlan } from './template.js';
import type { CloneMethod, CloneRequest, CloneResult } from './types.js';

export interface MakeContext {
  request: CloneRequest;
  folder: CloneFolder;
  logger: Logger;
  installations: Installation[];
  client: pg.Client;
  info: ServerInfo;
}

type Sourceless = Omit<MakeContext, 'client' | 'info'>;

export interface Made {
  result: Omit<CloneResult, 'method' | 'why' | 'considered' | 'seconds'>;
  notes: string[];
}

const startTimeoutMs = 600_000;
/** What initdb and the first WAL take. */
const emptyClusterBytes = 64 * 1024 * 1024;

/** Passwords are asked for over TCP, where any account of this machine can knock, and not behind the closed socket. */
const hba = { socket: 'trust', tcp: 'scram-sha-256' } as const;

/** Ours in every clone, whatever the source has. */
function ownSettings(id: string): Record<string, string> {
  return {
    cluster_name: `otto_clone_${id}`.slice(0, 63),
    lc_messages: 'C',
    // Subscriptions are copied along: their workers would take changes away from the source's own.
    max_logical_replication_workers: '0',
  };
}

export async function backupClone(context: MakeContext, plan: BackupPlan): Promise<Made> {
  const { request, folder, info } = context;
  const account = await serverAccount();
  await remember(context, 'backup', info.bootstrapSuperuser);
  await ensureReachable(folder.path, account, "the clone's folder");
  const { settings, notes } = await carriedSettings(context.client, plan.installation);
  const limits = await planLimits(request.limits, settings);
  await mkdir(folder.tablespaces, { recursive: true, mode: 0o700 });
  const common = {
    url: request.source!.url,
    info,
    ...folder,
    account,
    signal: request.signal,
    progress: request.progress,
    logger: context.logger,
  };
  const copied: BackupResult =
    plan.way.tool === 'pg_basebackup'
      ? await runBaseBackup({ ...common, installation: plan.way.installation })
      : await copyDataDirectory({ ...common, source: plan.way.source });
  await giveTree(folder.tablespaces, account);
  await configureCopy(
    folder.dataDirectory,
    { ...settings, ...ownSettings(request.id), ...limits.settings },
    hba,
    account,
  );
  request.progress?.({ phase: 'recovering' });
  const started = await startClone(context, plan.installation, info.bootstrapSuperuser, limits.launcher);
  const database = request.database ?? parseUrl(request.source!.url).database;
  return {
    result: {
      ...started,
      connection: { ...started.connection, database },
      tool: copied.tool,
      bytes: copied.bytes,
      copiedBytes: copied.copiedBytes,
      version: plan.installation.version,
    },
    notes: [...notes, ...limits.notes],
  };
}

export async function emptyClone(context: Sourceless, installation: Installation): Promise<Made> {
  const { request, folder } = context;
  await remember(context, 'empty', 'postgres');
  const { started, notes } = await newCluster(context, installation);
  const database = request.database ?? 'postgres';
  await ensureDatabase(started.connection, database);
  const bytes = await diskUsage(folder.dataDirectory);
  const { lsn: _, ...result } = started;
  return {
    result: {
      ...result,
      connection: { ...started.connection, database },
      tool: 'initdb',
      bytes,
      copiedBytes: 0,
      version: installation.version,
    },
    notes,
  };
}

export async function dumpClone(context: MakeContext, plan: DumpPlan): Promise<Made> {
  const { request, folder, info } = context;
  await remember(context, 'dump', 'postgres');
  const sourceUrl = request.source!.url;
  const database = request.database ?? parseUrl(sourceUrl).database;
  const sizeBytes = info.databases.find(({ name }) => name === database)?.sizeBytes ?? info.sizeBytes;
  const { started, notes } = await newCluster(context, plan.installation, sizeBytes);
  const copiedBytes = await dumpInto({
    sourceUrl,
    targetUrl: connectionUrl(started.connection, 'postgres'),
    database,
    sizeBytes,
    plan,
    signal: request.signal,
    progress: request.progress,
  });
  const { lsn: _, ...result } = started;
  const connection = { ...started.connection, database };
  const bytes = await diskUsage(folder.dataDirectory);
  return {
    result: {
      ...result,
      connection,
      tool: 'pg_dump',
      bytes,
      copiedBytes,
      version: plan.installation.version,
    },
    notes,
  };
}

export async function templateClone(context: MakeContext, plan: TemplatePlan): Promise<Made> {
  const { request, folder, info } = context;
  const source = parseUrl(request.source!.url);
  const marker = (await readMarker(request.root, request.id))!;
  await writeMarker(folder, {
    ...marker,
    method: 'template',
    database: {
      name: plan.to,
      server: `${source.host}:${source.port}`,
      ...(plan.parentId !== undefined && { parentId: plan.parentId }),
    },
  });
  // A template must have no sessions, and ours is one.
  await context.client.end();
  const bytes = await createFromTemplate(plan, info, request);
  const socket = source.host.startsWith('/');
  return {
    result: {
      tool: 'CREATE DATABASE',
      connection: {
        host: socket ? '127.0.0.1' : source.host,
        port: source.port,
        ...(socket && { socketDirectory: source.host }),
        user: source.user,
        database: plan.to,
      },
      version: info.version,
      bytes,
      copiedBytes: bytes,
      dataDirectory: info.dataDirectory ?? folder.path,
    },
    notes: request.limits ? ['limits do not apply to a database within a server'] : [],
  };
}

/** The marker says from now on what the clone is. */
async function remember(
  { request, folder }: Sourceless,
  method: CloneMethod,
  superuser: string,
): Promise<void> {
  const marker = (await readMarker(request.root, request.id))!;
  await writeMarker(folder, { ...marker, method, superuser });
}

async function newCluster(
  context: Sourceless,
  installation: Installation,
  copyBytes = 0,
): Promise<{ started: Started; notes: string[] }> {
  const { request, folder, logger } = context;
  await requireSpace(folder.path, copyBytes + emptyClusterBytes);
  const limits = await planLimits(request.limits, {});
  request.progress?.({ phase: 'initialising' });
  await PostgresInstance.init({
    installation,
    dataDirectory: folder.dataDirectory,
    auth: 'trust',
    settings: { ...ownSettings(request.id), ...limits.settings },
    logger,
    ...(request.signal && { signal: request.signal }),
  });
  await writeHba(folder.dataDirectory, hba, await serverAccount());
  return {
    started: await startClone(context, installation, 'postgres', limits.launcher),
    notes: limits.notes,
  };
}

type Started = Pick<CloneResult, 'connection' | 'lsn' | 'dataDirectory'>;

/** Starts the copy, and makes sure that recovery has ended and it can be written. */
async function startClone(
  { request, folder, logger }: Sourceless,
  installation: Installation,
  superuser: string,
  launcher: string[],
): Promise<Started> {
  const instance = PostgresInstance.at({
    installation,
    dataDirectory: folder.dataDirectory,
    socketDirectory: folder.socketDirectory,
    logFile: folder.logFile,
    superuser,
    launcher,
    logger,
    startTimeoutMs: request.startTimeoutMs ?? startTimeoutMs,
  });
  await instance.start(request.signal);
  const connection = {
    host: '127.0.0.1',
    port: instance.port,
    socketDirectory: instance.socketDirectory,
    user: superuser,
    database: 'postgres',
  };
  const lsn = await withConnection(connectionUrl(connection, 'template1'), {}, async (client) => {
    // Fails unless the server accepts writes.
    await client.query('select txid_current()');
    const { rows } = await client.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
    return rows[0]!.lsn;
  });
  return { connection, lsn, dataDirectory: folder.dataDirectory };
}

async function ensureDatabase(connection: CloneConnection, database: string): Promise<void> {
  await withConnection(connectionUrl(connection, 'postgres'), {}, async (client) => {
    const { rows } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (rows.length === 0) await client.query(`create database ${pg.escapeIdentifier(database)}`);
  });
}
