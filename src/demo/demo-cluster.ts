import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exists, type Logger, OttoError, type ProgressSink } from '../base/index.js';
import {
  connect,
  createReplica,
  findInstallations,
  PostgresInstance,
  withDatabase,
} from '../postgres/index.js';
import { benchmarkNamed } from '../workload/index.js';

export interface DemoCluster {
  primaryUrl: string;
  replicaUrl: string;
  /** Rows and bytes that were loaded. */
  loaded: { rows: number; bytes: number };
  version: string;
  stop(): Promise<void>;
}

/** As a careful owner would have set up a small production server: a log that is collected, room for a standby. */
const ownersSettings: Record<string, string> = {
  shared_buffers: '128MB',
  max_connections: '60',
  logging_collector: 'on',
  log_directory: 'log',
  log_filename: 'postgresql-%Y-%m-%d_%H%M%S.log',
  log_min_duration_statement: '1s',
  wal_keep_size: '512MB',
  max_wal_size: '1GB',
};

/** A fresh primary with TPC-C data and a streaming replica, below `directory`; what an earlier demo left goes first. */
export async function startDemoCluster(options: {
  directory: string;
  scale: number;
  logger: Logger;
  progress: ProgressSink;
  signal: AbortSignal;
}): Promise<DemoCluster> {
  const { directory, logger, progress, signal } = options;
  // Only the embedded one: the demo is the same everywhere.
  const installation = (await findInstallations()).find((each) => each.source === 'embedded');
  if (!installation) {
    throw new OttoError('POSTGRES_NOT_FOUND', 'the embedded PostgreSQL is not installed on this machine', {
      hint: 'Reinstall with: npm ci',
    });
  }
  const paths = { primary: join(directory, 'primary'), replica: join(directory, 'replica') };
  for (const path of [paths.replica, paths.primary])
    await clear(path, () => PostgresInstance.at({ installation, dataDirectory: path, logger }));
  progress({ phase: 'starting a primary' });
  const primary = await PostgresInstance.init({
    installation,
    dataDirectory: paths.primary,
    settings: ownersSettings,
    logger,
    signal,
  });
  const started: PostgresInstance[] = [primary];
  const stop = async () => {
    for (const instance of [...started].reverse()) await instance.destroy();
    await rm(`${paths.replica}-tablespaces`, { recursive: true, force: true });
  };
  try {
    await primary.start(signal);
    const admin = await connect(primary.url());
    await admin.query('create database shop').finally(() => admin.end());
    const url = withDatabase(primary.url(), 'shop');
    const report = await benchmarkNamed('tpcc').load(url, {
      scale: options.scale,
      signal,
      progress: (update) => progress({ ...update, phase: `loading TPC-C: ${update.phase}` }),
    });
    progress({ phase: 'starting a streaming replica' });
    const replica = await createReplica({
      primaryUrl: primary.url(),
      dataDirectory: paths.replica,
      name: 'replica',
      installation,
      logger,
      signal,
    });
    started.push(replica);
    return {
      primaryUrl: url,
      replicaUrl: withDatabase(replica.url(), 'shop'),
      loaded: { rows: report.tables.reduce((sum, table) => sum + table.rows, 0), bytes: report.bytes },
      version: installation.version,
      stop,
    };
  } catch (error) {
    await stop().catch((cause: unknown) =>
      logger.warn({ err: cause }, 'the demo servers could not be removed'),
    );
    throw error;
  }
}

async function clear(path: string, instance: () => PostgresInstance): Promise<void> {
  if (!(await exists(path))) return;
  if (await exists(join(path, 'PG_VERSION'))) await instance().destroy();
  else await rm(path, { recursive: true, force: true });
}
