import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
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
  /** Programs that COMMAND may run at workers on this machine; `*` is any. Default: none. */
  allowCommand?: string[];
  controlCommands?: readonly ControlCommand[];
  /** Certificate authority (PEM file) of the TLS certificate, for launched workers and commands on this machine. */
  caFile?: string;
}

/** What `control.json` says, so that commands on this machine find the control plane. */
export interface ControlFile {
  url: string;
  workerUrl: string;
  pid: number;
  host: string;
  startedAt: string;
  /** PEM file of the authority to trust, under TLS. */
  caFile?: string;
  /** The name in the certificate, where it is not the host of `url`. */
  tlsName?: string;
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
  const undo: (() => Promise<unknown>)[] = [async () => await embedded?.close()];
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
      localWorkerFlags: [
        ...(options.plugins ?? []).flatMap((module) => ['--plugin', module]),
        ...(options.allowCommand ?? []).flatMap((program) => ['--allow-command', program]),
      ],
    });
    undo.unshift(() => control.stop());
    const server: RunningServer = await buildServer(control, options.server);
    undo.unshift(() => server.close());
    const { url, workerUrl, tlsName } = server;
    await control.ready({ url, workerUrl, ...(tlsName !== undefined && { tlsName }) });
    if (!options.server.open) await ensureAdminToken(control, dataDirectory);
    const controlFile = join(dataDirectory, 'control.json');
    const file: ControlFile = {
      url,
      workerUrl,
      pid: process.pid,
      host: hostname(),
      startedAt: new Date().toISOString(),
      ...(options.caFile !== undefined && { caFile: resolve(options.caFile) }),
      ...(tlsName !== undefined && { tlsName }),
    };
    await writeJson(controlFile, file);
    return {
      control,
      url,
      workerUrl,
      async stop() {
        if ((await readJson<ControlFile>(controlFile))?.pid === process.pid)
          await rm(controlFile, { force: true });
        // Served to the end: workers report what they leave, and have settings put back in the journal.
        await control.quiesce();
        await server.close();
        await control.stop();
        await embedded?.close();
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
