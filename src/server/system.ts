import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createLogger, type Logger, OttoError, readJson, writeJson } from '../base/index.js';
import { type ControlCommand, ControlPlane, EmbeddedDatabase, secretKey } from '../control/index.js';
import { SecretBox } from '../store/index.js';
import type { ServerOptions } from './options.js';
import { buildServer, type RunningServer } from './server.js';

export interface SystemOptions {
  /** Everything that the control plane keeps on disk lies below it. */
  dataDirectory: string;
  /** A PostgreSQL of yours; absent: an embedded one below the data folder. */
  databaseUrl?: string;
  server: ServerOptions;
  ottoCommand: readonly string[];
  version: string;
  logger?: Logger;
  retentionDays?: number;
  plugins?: string[];
  controlCommands?: readonly ControlCommand[];
  /** Certificate authority (PEM file) of the TLS certificate, for workers on this machine. */
  caFile?: string;
}

/** What `control.json` says, so that commands on this machine find the control plane. */
export interface ControlFile {
  url: string;
  workerUrl: string;
  pid: number;
  host: string;
  startedAt: string;
}

export interface RunningSystem {
  control: ControlPlane;
  url: string;
  workerUrl: string;
  /** Ends server, control plane, local workers, and the embedded database unless others use it. */
  stop(): Promise<void>;
}

/** A whole control plane in this process: database, engine, API, web UI, worker listener. */
export async function startSystem(options: SystemOptions): Promise<RunningSystem> {
  const logger = options.logger ?? createLogger({ name: 'otto' });
  const { dataDirectory } = options;
  const key = await secretKey(dataDirectory, process.env.OTTO_SECRET_KEY, () => SecretBox.newKey());
  const embedded = options.databaseUrl ? undefined : await EmbeddedDatabase.open({ dataDirectory, logger });
  const undo: (() => Promise<unknown>)[] = [async () => await embedded?.close(false)];
  try {
    const control = await ControlPlane.start({
      databaseUrl: options.databaseUrl ?? embedded!.url(),
      secretKey: key,
      artifactsDirectory: join(dataDirectory, 'artifacts'),
      workersDirectory: join(dataDirectory, 'workers'),
      ottoCommand: options.ottoCommand,
      version: options.version,
      logger,
      ...(options.retentionDays !== undefined && { retentionDays: options.retentionDays }),
      ...(options.plugins && { plugins: options.plugins }),
      ...(options.controlCommands && { controlCommands: options.controlCommands }),
      ...(options.caFile !== undefined && { caFile: options.caFile }),
    });
    undo.unshift(() => control.stop());
    const server: RunningServer = await buildServer(control, options.server);
    undo.unshift(() => server.close());
    const { url, workerUrl } = server;
    await control.ready({ url, workerUrl });
    if (!options.server.open) await ensureAdminToken(control, dataDirectory);
    const controlFile = join(dataDirectory, 'control.json');
    const file: ControlFile = {
      url,
      workerUrl,
      pid: process.pid,
      host: hostname(),
      startedAt: new Date().toISOString(),
    };
    await writeJson(controlFile, file);
    return {
      control,
      url,
      workerUrl,
      async stop() {
        if ((await readJson<ControlFile>(controlFile))?.pid === process.pid)
          await rm(controlFile, { force: true });
        await server.close();
        const peers = embedded ? await control.hasPeers().catch(() => false) : false;
        await control.stop();
        await embedded?.close(peers);
      },
    };
  } catch (error) {
    for (const step of undo) {
      await step().catch((cause: unknown) =>
        logger.warn({ err: cause }, 'a start that failed could not be undone in full'),
      );
    }
    throw OttoError.from(error, 'START_FAILED');
  }
}

/** The first admin token, in a file that only this account can read; commands on this machine use it. */
async function ensureAdminToken(control: ControlPlane, dataDirectory: string): Promise<void> {
  const file = join(dataDirectory, 'admin.token');
  const known = await readFile(file, 'utf8').catch(() => '');
  if (known !== '' && (await control.tokens.authenticate(known.trim()))) return;
  const { token } = await control.tokens.issue(
    { name: 'admin of this machine', role: 'admin' },
    { name: 'first start', role: 'admin' },
  );
  await writeFile(file, `${token}\n`, { mode: 0o600 });
}
