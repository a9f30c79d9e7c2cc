import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Logger, OttoError, type ProgressSink, silentLogger, systemClock } from '../base/index.js';
import { runBaseBackup } from './backup/base-backup-tool.js';
import { carriedSettings } from './backup/carried-settings.js';
import { configureCopy } from './backup/configure.js';
import { copyDataDirectory } from './backup/file-copy.js';
import { findLocalSource } from './backup/local-source.js';
import { withConnection } from './connect.js';
import { describeServer } from './describe-server.js';
import { findInstallations, type Installation, installationFor } from './installations.js';
import { PostgresInstance } from './instance.js';
import { writeOwned } from './instance-files.js';
import { type Account, serverAccount } from './run-as.js';
import { parseUrl, type ServerUrl, withDatabase } from './url.js';

export interface ReplicaRequest {
  /** Connection string of the primary, for a role with REPLICATION (a superuser has it). */
  primaryUrl: string;
  /** A folder that is empty or does not exist; tablespaces go beside it, into `<dataDirectory>-tablespaces`. */
  dataDirectory: string;
  /** Name of the standby as the primary sees it (application_name, cluster_name). */
  name?: string;
  installation?: Installation;
  port?: number;
  socketDirectory?: string;
  /** On top of those of the primary. */
  settings?: Record<string, string>;
  /** Limit of the wait until it streams; default 60 000. */
  timeoutMs?: number;
  signal?: AbortSignal;
  progress?: ProgressSink;
  logger?: Logger;
}

/**
 * Builds and starts a streaming standby of a primary: by file copy where the primary is on this host, else by
 * pg_basebackup. Returns when it streams. The primary keeps no WAL for a standby that is away: set wal_keep_size there.
 * @throws OttoError REPLICA_NOT_POSSIBLE, REPLICA_NOT_STREAMING, those of a backup and of a start.
 */
export async function createReplica(request: ReplicaRequest): Promise<PostgresInstance> {
  const logger = request.logger ?? silentLogger;
  const account = await serverAccount();
  const made = await mkdir(request.dataDirectory, { recursive: true, mode: 0o700 });
  const tablespaces = `${request.dataDirectory}-tablespaces`;
  let instance: PostgresInstance | undefined;
  try {
    const installation = await copyPrimary(request, tablespaces, account, logger);
    const parts = parseUrl(request.primaryUrl);
    instance = PostgresInstance.at({
      installation,
      dataDirectory: request.dataDirectory,
      logger,
      superuser: parts.user,
      ...(parts.password !== undefined && { password: parts.password }),
      ...(request.port !== undefined && { port: request.port }),
      ...(request.socketDirectory !== undefined && { socketDirectory: request.socketDirectory }),
      ...(request.settings && { settings: request.settings }),
    });
    await instance.start(request.signal);
    await waitUntilStreaming(instance, request);
    return instance;
  } catch (error) {
    await instance?.stop('immediate');
    await rm(made ?? request.dataDirectory, { recursive: true, force: true });
    await rm(tablespaces, { recursive: true, force: true });
    throw error;
  }
}

async function copyPrimary(
  request: ReplicaRequest,
  tablespaces: string,
  account: Account | undefined,
  logger: Logger,
): Promise<Installation> {
  const { primaryUrl: url, dataDirectory, signal, progress } = request;
  return withConnection(url, { signal }, async (client) => {
    const info = await describeServer(client);
    const installation = request.installation ?? (await installationFor(info.major));
    const { settings } = await carriedSettings(client, installation);
    const source = await findLocalSource(client, info);
    const common = { url, info, dataDirectory, tablespaces, account, signal, progress, logger };
    if (!('why' in source)) await copyDataDirectory({ ...common, source });
    else {
      const tool = (await findInstallations()).find(
        ({ major, tools }) => major >= info.major && tools.pg_basebackup,
      );
      if (!tool) {
        throw new OttoError(
          'REPLICA_NOT_POSSIBLE',
          `no standby can be made: ${source.why}, and there is no pg_basebackup`,
          {
            hint: `Install the client programs of PostgreSQL ${info.major} or later.`,
          },
        );
      }
      await runBaseBackup({ ...common, installation: tool });
    }
    await configureStandby(request, settings, account);
    return installation;
  });
}

async function configureStandby(
  request: ReplicaRequest,
  carried: Record<string, string>,
  account: Account | undefined,
): Promise<void> {
  const { dataDirectory } = request;
  const primary = parseUrl(request.primaryUrl);
  const passwords = join(dataDirectory, 'primary.pgpass');
  const name = request.name ?? 'otto_replica';
  if (primary.password !== undefined) {
    const escaped = primary.password.replaceAll('\\', '\\\\').replaceAll(':', '\\:');
    await writeOwned(passwords, `*:*:*:*:${escaped}\n`, account);
  }
  const settings = {
    ...carried,
    hot_standby: 'on',
    cluster_name: name,
    primary_conninfo: conninfo(primary, name, primary.password === undefined ? undefined : passwords),
    recovery_target_timeline: 'latest',
    lc_messages: 'C',
  };
  const method = primary.password === undefined ? 'trust' : 'scram-sha-256';
  await configureCopy(dataDirectory, settings, { socket: method, tcp: method }, account);
  await writeOwned(join(dataDirectory, 'standby.signal'), '', account);
}

/** The password stays out: it would show in pg_settings and in logs. */
function conninfo(primary: ServerUrl, name: string, passwordFile: string | undefined): string {
  const { host, port, user, parameters } = primary;
  const parts = {
    host,
    port: String(port),
    user,
    application_name: name,
    ...(parameters.sslmode && { sslmode: parameters.sslmode }),
    ...(passwordFile && { passfile: passwordFile }),
  };
  return Object.entries(parts)
    .map(([key, value]) => `${key}='${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`)
    .join(' ');
}

async function waitUntilStreaming(instance: PostgresInstance, request: ReplicaRequest): Promise<void> {
  const timeoutMs = request.timeoutMs ?? 60_000;
  const deadline = systemClock.monotonic() + timeoutMs;
  const url = withDatabase(instance.url(), parseUrl(request.primaryUrl).database);
  await withConnection(url, { signal: request.signal }, async (client) => {
    for (let pauseMs = 10; ; pauseMs = Math.min(pauseMs * 1.5, 250)) {
      const { rows } = await client.query("select 1 from pg_stat_wal_receiver where status = 'streaming'");
      if (rows.length > 0) return;
      if (systemClock.monotonic() > deadline) {
        throw new OttoError(
          'REPLICA_NOT_STREAMING',
          `the standby did not reach its primary within ${timeoutMs / 1000} s`,
          {
            where: request.dataDirectory,
            hint: `See ${instance.logFile}: most often the primary's pg_hba.conf does not let replication in.`,
          },
        );
      }
      await systemClock.sleep(pauseMs, request.signal);
    }
  });
}
