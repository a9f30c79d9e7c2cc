import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  exists,
  type Logger,
  newId,
  OttoError,
  readJson,
  systemClock,
  writeJson,
} from '../../base/index.js';
import { findInstallations, PostgresInstance, withConnection } from '../../postgres/index.js';

export interface EmbeddedDatabaseOptions {
  /** The data folder; the server's own lies in `postgres` inside it. */
  dataDirectory: string;
  logger: Logger;
  clock?: Clock;
}

interface Saved {
  port: number;
  password: string;
  major: number;
}

/** Small, because a laptop runs it beside its work; durable, because it holds the journal of other databases. */
const settings: Record<string, string> = {
  shared_buffers: '64MB',
  max_connections: '200',
  logging_collector: 'off',
  log_min_messages: 'warning',
};
const lookMs = 1_000;

/**
 * The control plane's own PostgreSQL, for whoever gives no --database-url: real binaries from npm, started below the
 * data folder, kept running. Several control planes of one folder share it; whoever leaves last stops it.
 */
export class EmbeddedDatabase {
  readonly #options: EmbeddedDatabaseOptions;
  readonly #clock: Clock;
  readonly #instance: PostgresInstance;
  readonly #guard = new AbortController();
  #watching: Promise<void> | undefined;

  private constructor(options: EmbeddedDatabaseOptions, instance: PostgresInstance) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#instance = instance;
  }

  /** Makes it where there is none, starts it where it does not run, and watches it from here on. */
  static async open(options: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
    const directory = join(options.dataDirectory, 'postgres');
    const savedFile = join(options.dataDirectory, 'postgres.json');
    await mkdir(options.dataDirectory, { recursive: true });
    if (!(await exists(directory))) await initialise(directory, savedFile, options.logger);
    const saved = await readJson<Saved>(savedFile);
    if (!saved) {
      throw new OttoError(
        'DATA_FOLDER_BROKEN',
        `${savedFile} is missing: the password of the database beside it is lost`,
        {
          where: options.dataDirectory,
          hint: 'Restore the file, or begin anew with another --data folder.',
        },
      );
    }
    const installations = await findInstallations();
    const installation = installations.find((each) => each.major === saved.major);
    if (!installation) {
      throw new OttoError(
        'POSTGRES_NOT_FOUND',
        `the data folder was made by PostgreSQL ${saved.major}, which is not found here`,
        {
          where: directory,
          hint: `Install PostgreSQL ${saved.major}, or give a server with --database-url.`,
        },
      );
    }
    const instance = PostgresInstance.at({
      installation,
      dataDirectory: directory,
      password: saved.password,
      settings,
      logger: options.logger,
      ...(saved.port !== 0 && { port: saved.port }),
    });
    await instance.start();
    if (saved.port !== instance.port) await writeJson(savedFile, { ...saved, port: instance.port });
    const database = new EmbeddedDatabase(options, instance);
    await database.#createDatabase();
    database.#watching = database.#watch();
    return database;
  }

  url(): string {
    return this.#instance.url('ottopilot');
  }

  get pid(): number | undefined {
    return this.#instance.pid;
  }

  /** Stops watching, and the server too unless others still use it. */
  async close(othersUseIt: boolean): Promise<void> {
    this.#guard.abort();
    await this.#watching;
    if (!othersUseIt) await this.#instance.stop('fast');
  }

  async #createDatabase(): Promise<void> {
    await withConnection(this.#instance.url(), {}, async (client) => {
      const { rowCount } = await client.query("select 1 from pg_database where datname = 'ottopilot'");
      if (rowCount === 0) {
        await client.query('create database ottopilot').catch((error: { code?: string }) => {
          // Another control plane was faster.
          if (error.code !== '42P04' && error.code !== '23505') throw error;
        });
      }
    });
  }

  /** Brings the server back when it is killed: everything else here waits for it. */
  async #watch(): Promise<void> {
    const { signal } = this.#guard;
    while (!signal.aborted) {
      await this.#clock.sleep(lookMs, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        if (await this.#instance.isRunning()) continue;
        this.#options.logger.warn('the control plane’s PostgreSQL is gone; starting it again');
        await this.#instance.start(signal);
      } catch (error) {
        if (!signal.aborted)
          this.#options.logger.error({ err: error }, 'the control plane’s PostgreSQL does not start');
      }
    }
  }
}

/** Made beside its place and moved there when whole: a crash in between leaves nothing that looks like a database. */
async function initialise(directory: string, savedFile: string, logger: Logger): Promise<void> {
  const [installation] = (await findInstallations()).filter((each) => each.source === 'embedded');
  if (!installation) {
    throw new OttoError('POSTGRES_NOT_FOUND', 'the embedded PostgreSQL is not installed on this machine', {
      hint: 'Its package is optional and made for Linux (glibc), macOS and Windows: reinstall with npm ci, or give a server with --database-url.',
    });
  }
  const draft = `${directory}.${newId('new')}`;
  try {
    const instance = await PostgresInstance.init({ installation, dataDirectory: draft, settings, logger });
    const saved: Saved = { port: 0, password: instance.password ?? '', major: installation.major };
    // First the password, then the place: of two that start at once, one fails to move and uses the other's.
    const own = `${savedFile}.${newId('new')}`;
    await writeJson(own, saved);
    try {
      await rename(draft, directory);
      await rename(own, savedFile);
    } catch (error) {
      await rm(own, { force: true });
      if (!(await exists(directory))) throw error;
      await waitFor(savedFile);
    }
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function waitFor(file: string): Promise<void> {
  for (let waited = 0; waited < 10_000 && !(await exists(file)); waited += 50) await systemClock.sleep(50);
}

/** The key that secrets are encrypted with: from the environment, or a file of the data folder made on first use. */
export async function secretKey(
  dataDirectory: string,
  fromEnvironment: string | undefined,
  make: () => string,
): Promise<string> {
  if (fromEnvironment) return fromEnvironment;
  const file = join(dataDirectory, 'secret.key');
  await mkdir(dataDirectory, { recursive: true });
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(`${make()}\n`);
    await handle.sync();
    await handle.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(file, 'utf8')).trim();
}
