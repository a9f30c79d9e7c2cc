import { randomBytes } from 'node:crypto';
import { chmod, chown, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import getPort from 'get-port';
import { exists, type Logger, OttoError, silentLogger, systemClock } from '../base/index.js';
import { diskUsage } from './disk-usage.js';
import { runInitdb } from './initdb.js';
import type { Installation } from './installations.js';
import { writeHba, writeSettings } from './instance-files.js';
import { disownRecycledPid, runningPostmaster } from './postmaster.js';
import { reachableInstallation } from './reachable-installation.js';
import { type Account, ensureReachable, giveTree, serverAccount } from './run-as.js';
import { StartError, startServer, stopServer } from './server-process.js';
import { fitsSocket, prepareSocketDirectory, shortSocketDirectory } from './socket-directory.js';
import { formatUrl } from './url.js';

export interface InstanceOptions {
  installation: Installation;
  dataDirectory: string;
  /** Default: the data directory, which only the server's account can enter; a short folder where a path is too long. */
  socketDirectory?: string;
  /** Default: a free one, which is kept over restarts as long as it stays free. */
  port?: number;
  /** Take the place of those given before; absent: those stay. */
  settings?: Record<string, string>;
  /** Default: server.log in the data directory. */
  logFile?: string;
  logger?: Logger;
  /** Default: our own account, or as root `postgres` or `nobody`. */
  runAs?: Account;
  superuser?: string;
  /** Password of the superuser, where the server asks for one. */
  password?: string;
  /** Limit of one start, recovery included; default 120 000. */
  startTimeoutMs?: number;
  /** Put before the server's command line; must end in exec of what follows. */
  launcher?: string[];
  /** Where a copy of the binaries is kept when the account cannot reach them. */
  cacheDirectory?: string;
}

export interface InitOptions extends InstanceOptions {
  /** `scram` (default): every connection needs the password, which is made up when none is given. */
  auth?: 'trust' | 'scram';
  signal?: AbortSignal;
}

/** One PostgreSQL server process of ours, on loopback and a Unix socket only. */
export class PostgresInstance {
  readonly dataDirectory: string;
  readonly superuser: string;
  /** Of the superuser: whoever wants to come back to this server keeps it. */
  readonly password: string | undefined;
  readonly logFile: string;
  readonly #options: InstanceOptions;
  readonly #logger: Logger;
  #port: number | undefined;
  #socketDirectory: string | undefined;
  #pid: number | undefined;
  #settings: Record<string, string> | undefined;

  private constructor(options: InstanceOptions) {
    this.#options = options;
    this.dataDirectory = resolve(options.dataDirectory);
    this.superuser = options.superuser ?? 'postgres';
    this.password = options.password;
    this.logFile = options.logFile ?? join(this.dataDirectory, 'server.log');
    this.#logger = options.logger ?? silentLogger;
    this.#port = options.port;
    this.#settings = options.settings;
  }

  /**
   * A new, empty cluster (UTF-8, C collation, built-in Unicode case rules from 17 on), not yet started.
   * @throws OttoError FOLDER_NOT_EMPTY, FOLDER_NOT_REACHABLE, INITDB_FAILED.
   */
  static async init(options: InitOptions): Promise<PostgresInstance> {
    const auth = options.auth ?? 'scram';
    const password =
      auth === 'scram' ? (options.password ?? randomBytes(24).toString('base64url')) : options.password;
    const instance = new PostgresInstance({ ...options, settings: undefined, password });
    const { dataDirectory } = instance;
    const made = await mkdir(dataDirectory, { recursive: true });
    if ((await readdir(dataDirectory)).length > 0) {
      throw new OttoError('FOLDER_NOT_EMPTY', `${dataDirectory} is not empty: no new cluster is made there`, {
        where: dataDirectory,
        hint: 'Name a folder that is empty or does not exist.',
      });
    }
    try {
      const account = await instance.#account();
      await chmod(dataDirectory, 0o700);
      if (account) await chown(dataDirectory, account.uid, account.gid);
      await ensureReachable(dataDirectory, account, 'the data directory');
      const installation = await reachableInstallation(options.installation, account, options.cacheDirectory);
      await runInitdb({
        installation,
        dataDirectory,
        account,
        superuser: instance.superuser,
        password,
        sync: options.settings?.fsync !== 'off',
        signal: options.signal,
      });
      const method = auth === 'scram' ? 'scram-sha-256' : 'trust';
      await writeHba(dataDirectory, { socket: method, tcp: method }, account);
      await writeSettings(dataDirectory, options.settings ?? {}, account);
    } catch (error) {
      await rm(made ?? dataDirectory, { recursive: true, force: true });
      throw error;
    }
    return instance;
  }

  /** An existing data directory: a copy, or one whose server an earlier process of ours started. */
  static at(options: InstanceOptions): PostgresInstance {
    return new PostgresInstance(options);
  }

  /** @throws OttoError NOT_STARTED before the first start. */
  get port(): number {
    return this.#started(this.#port);
  }

  /** @throws OttoError NOT_STARTED before the first start. */
  get socketDirectory(): string {
    return this.#started(this.#socketDirectory);
  }

  /** Process number of the server when it was last seen running. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Connection string of the superuser over loopback. Holds the password: not for logs. */
  url(database = 'postgres'): string {
    const { port, superuser: user, password } = this;
    return formatUrl({
      host: '127.0.0.1',
      port,
      user,
      database,
      ...(password !== undefined && { password }),
    });
  }

  /** Asks the operating system, not our memory: true also for a server that an earlier process of ours started. */
  async isRunning(): Promise<boolean> {
    const postmaster = await runningPostmaster(this.dataDirectory);
    if (postmaster === undefined || postmaster.port === 0) return postmaster !== undefined;
    this.#pid = postmaster.pid;
    this.#port = postmaster.port;
    this.#socketDirectory = postmaster.socketDirectory ?? this.#socketDirectory;
    return true;
  }

  /**
   * Starts the server, or takes over the one that runs on this data directory already, and waits until it answers.
   * @throws OttoError POSTGRES_START_FAILED with the end of the log, PORT_IN_USE for a port that was asked for.
   */
  async start(signal?: AbortSignal): Promise<void> {
    if (await this.isRunning()) {
      this.#logger.info({ pid: this.#pid, dataDirectory: this.dataDirectory }, 'took over a running server');
      return;
    }
    const account = await this.#account();
    const installation = await this.#prepare(account);
    const socketDirectory = await this.#chooseSocketDirectory(account);
    if (await disownRecycledPid(this.dataDirectory, socketDirectory)) {
      this.#logger.info(
        { dataDirectory: this.dataDirectory },
        'postmaster.pid named a foreign process: disowned',
      );
    }
    const timeoutMs = this.#options.startTimeoutMs ?? 120_000;
    const deadline = systemClock.monotonic() + timeoutMs;
    for (let ports = 1; ; ) {
      // The remembered one is simply tried: who comes back should find the server where it was.
      const port = this.#options.port ?? this.#port ?? (await getPort({ host: '127.0.0.1' }));
      this.#port = port;
      this.#socketDirectory = socketDirectory;
      try {
        this.#pid = await startServer({
          argv: [
            ...(this.#options.launcher ?? []),
            ...this.#commandLine(installation, port, socketDirectory),
          ],
          dataDirectory: this.dataDirectory,
          logFile: this.logFile,
          account,
          url: this.url(),
          timeoutMs: Math.max(1000, deadline - systemClock.monotonic()),
          signal,
        });
        return;
      } catch (error) {
        if (!(error instanceof StartError) || systemClock.monotonic() > deadline) throw error;
        if (error.failure === 'already-running' && (await this.isRunning())) return;
        if (error.failure === 'port-in-use') {
          if (this.#options.port !== undefined) {
            throw new OttoError('PORT_IN_USE', `port ${port} is taken by another program`, {
              cause: error,
              hint: 'Name another port, or none: a free one is chosen then.',
            });
          }
          ports += 1;
          if (ports > 10) throw error;
          this.#port = undefined;
        } else if (error.failure === 'orphans') {
          // Backends of a killed server end as soon as they notice; until then the data is theirs.
          await systemClock.sleep(200, signal);
        } else throw error;
      }
    }
  }

  /** Stops the server, if it runs: `smart` waits for sessions to end, `fast` ends them, `immediate` leaves recovery to the next start. */
  async stop(mode: 'smart' | 'fast' | 'immediate' = 'fast', timeoutMs = 60_000): Promise<void> {
    const postmaster = await runningPostmaster(this.dataDirectory);
    if (postmaster) await stopServer(postmaster.pid, this.dataDirectory, mode, timeoutMs);
    this.#pid = undefined;
  }

  async restart(signal?: AbortSignal): Promise<void> {
    await this.stop();
    await this.start(signal);
  }

  /**
   * Stops the server and deletes its data directory, and nothing else.
   * @returns Bytes freed; 0 where it was gone already.
   * @throws OttoError NOT_A_DATA_DIRECTORY where the folder is a link or holds something else.
   */
  async destroy(): Promise<number> {
    if (!(await exists(this.dataDirectory))) return 0;
    const info = await lstat(this.dataDirectory);
    if (!info.isDirectory() || !(await exists(join(this.dataDirectory, 'PG_VERSION')))) {
      throw new OttoError(
        'NOT_A_DATA_DIRECTORY',
        `${this.dataDirectory} is not a data directory: nothing is deleted`,
        {
          where: this.dataDirectory,
        },
      );
    }
    const short = await shortSocketDirectory(this.dataDirectory);
    await this.stop('immediate');
    const freed = await diskUsage(this.dataDirectory);
    await rm(this.dataDirectory, { recursive: true, force: true });
    await rm(short, { recursive: true, force: true });
    return freed;
  }

  async #account(): Promise<Account | undefined> {
    return this.#options.runAs ?? (await serverAccount());
  }

  async #prepare(account: Account | undefined): Promise<Installation> {
    await ensureReachable(dirname(this.dataDirectory), account, 'the folder of the data directory');
    await giveTree(this.dataDirectory, account);
    if (this.#settings) await writeSettings(this.dataDirectory, this.#settings, account);
    return reachableInstallation(this.#options.installation, account, this.#options.cacheDirectory);
  }

  async #chooseSocketDirectory(account: Account | undefined): Promise<string> {
    const wanted = resolve(this.#options.socketDirectory ?? this.dataDirectory);
    if (fitsSocket(wanted)) {
      if (wanted !== this.dataDirectory) await prepareSocketDirectory(wanted, account);
      return wanted;
    }
    const short = await shortSocketDirectory(this.dataDirectory);
    await prepareSocketDirectory(short, account);
    this.#logger.info(
      { wanted, socketDirectory: short },
      'the path is too long for a socket: a short folder is used',
    );
    return short;
  }

  /** The address is given here and not in a file: no setting, also none copied along, can open the server to others. */
  #commandLine(installation: Installation, port: number, socketDirectory: string): string[] {
    const socket = `"${socketDirectory.replaceAll('"', '""')}"`;
    return [
      installation.tools.postgres,
      ...['-D', this.dataDirectory],
      ...['-p', String(port)],
      ...['-c', 'listen_addresses=127.0.0.1'],
      ...['-c', `unix_socket_directories=${socket}`],
    ];
  }

  #started<T>(value: T | undefined): T {
    if (value !== undefined) return value;
    throw new OttoError('NOT_STARTED', `the server in ${this.dataDirectory} has not been started`);
  }
}
