import type { ConnectRouter } from '@connectrpc/connect';
import type pg from 'pg';
import { type Clock, type Logger, newId, systemClock } from '../base/index.js';
import { CommandTypes, DagEngine } from '../dag/index.js';
import {
  ArtifactStore,
  type AttemptRow,
  type Database,
  Listener,
  migrate,
  openDatabase,
  openPool,
  SecretBox,
} from '../store/index.js';
import { type AssignmentContext, allCommandTypes } from '../workers/index.js';
import { loadCollectors } from '../workload/index.js';
import type { ControlCommand } from './dispatch/control-command.js';
import { CommandDispatcher } from './dispatch/dispatcher.js';
import { launchWorkerCommands } from './dispatch/launch-worker.js';
import { RunCleaner } from './dispatch/run-cleaner.js';
import { FleetService } from './fleet.js';
import { Runs } from './runs/run-service.js';
import { Audit, type CollectorInfo, type Control, Schedules, Targets, Tokens } from './services/index.js';
import { Presence } from './upkeep/presence.js';
import { Sweeper } from './upkeep/sweeper.js';
import { Ticker } from './upkeep/ticker.js';
import { WorkerGateway } from './workers/gateway.js';
import { WorkerLauncher } from './workers/launcher.js';

export interface ControlPlaneOptions {
  databaseUrl: string;
  /** Encrypts connection strings at rest: 32 bytes, base64. */
  secretKey: string;
  artifactsDirectory: string;
  workersDirectory: string;
  /** Program and first arguments that run `otto`, for local workers. */
  ottoCommand: readonly string[];
  version: string;
  logger: Logger;
  /** How long artifacts are kept, days; for ever when absent. */
  retentionDays?: number;
  /** Modules with further command types and data collectors. */
  plugins?: string[];
  /** Command types that the control plane itself carries out, besides the built-in ones. */
  controlCommands?: readonly ControlCommand[];
  /** Certificate authority (PEM file) for launched workers when the worker listener speaks TLS. */
  caFile?: string;
  /** Further flags of workers on this machine, such as `--plugin FILE`. */
  localWorkerFlags?: readonly string[];
  clock?: Clock;
}

/** One control plane: any number may share a database, and each takes over when another is gone. */
export class ControlPlane implements Control {
  readonly id = newId('cp');
  readonly version: string;
  readonly db: Database;
  readonly pool: pg.Pool;
  readonly listener: Listener;
  readonly logger: Logger;
  readonly secrets: SecretBox;
  readonly commandTypes: CommandTypes;
  readonly collectors: readonly CollectorInfo[];
  readonly runs: Runs;
  readonly fleet: FleetService;
  readonly targets: Targets;
  readonly tokens: Tokens;
  readonly audit: Audit;
  readonly schedules: Schedules;
  readonly artifacts: ArtifactStore;
  readonly #engine: DagEngine;
  readonly #gateway: WorkerGateway;
  readonly #launcher: WorkerLauncher;
  readonly #presence: Presence;
  readonly #ticker: Ticker;
  #quiet: Promise<void> | undefined;
  #workerUrl: string | undefined;
  #workerTlsName: string | undefined;

  private constructor(
    options: ControlPlaneOptions,
    types: CommandTypes,
    collectors: readonly CollectorInfo[],
    controlPool: pg.Pool,
  ) {
    const { logger } = options;
    const clock = options.clock ?? systemClock;
    this.version = options.version;
    this.logger = logger;
    this.pool = controlPool;
    this.db = openDatabase(controlPool);
    this.listener = new Listener(options.databaseUrl, logger);
    this.secrets = new SecretBox(options.secretKey);
    this.commandTypes = types;
    this.collectors = collectors;
    const { db, listener } = this;
    this.targets = new Targets({ db, secrets: this.secrets, logger });
    this.tokens = new Tokens({ db });
    this.audit = new Audit({ db });
    this.artifacts = new ArtifactStore({
      db,
      directory: options.artifactsDirectory,
      ...(options.retentionDays !== undefined && { retentionDays: options.retentionDays }),
      logger,
      clock,
    });
    this.#gateway = new WorkerGateway({
      db,
      listener,
      tokens: this.tokens,
      artifacts: this.artifacts,
      controlPlaneId: this.id,
      version: options.version,
      logger,
      contextOf: (attempt) => this.#contextOf(attempt),
    });
    this.#launcher = new WorkerLauncher({
      db,
      controlPlaneId: this.id,
      tokens: this.tokens,
      ottoCommand: options.ottoCommand,
      workersRoot: options.workersDirectory,
      workerUrl: () => {
        if (!this.#workerUrl) throw new Error('the worker listener is not up');
        return this.#workerUrl;
      },
      tlsName: () => this.#workerTlsName,
      ...(options.caFile !== undefined && { caFile: options.caFile }),
      ...(options.localWorkerFlags && { localFlags: options.localWorkerFlags }),
      clock,
      logger,
    });
    const cleaner = new RunCleaner({
      db,
      gateway: this.#gateway,
      launcher: this.#launcher,
      targets: this.targets,
      artifacts: this.artifacts,
      clock,
      logger,
    });
    const dispatcher = new CommandDispatcher({
      db,
      launcher: this.#launcher,
      cleaner,
      controlCommands: [
        ...launchWorkerCommands({
          db,
          launcher: this.#launcher,
          workersDirectory: options.workersDirectory,
          clock,
        }),
        ...(options.controlCommands ?? []),
      ],
      logger,
    });
    this.#engine = new DagEngine({
      db,
      databaseUrl: options.databaseUrl,
      listener,
      types,
      dispatcher,
      owner: this.id,
      clock,
      logger,
    });
    this.runs = new Runs({
      db,
      engine: this.#engine,
      dispatcher,
      types,
      targets: this.targets,
      audit: this.audit,
    });
    this.schedules = new Schedules({
      db,
      validate: (document, validation) => this.runs.validate(document, validation),
      findTarget: (name) => this.targets.find(name),
    });
    this.fleet = new FleetService({ db, gateway: this.#gateway, cleaner, listener });
    this.#presence = new Presence(db, this.id);
    this.#ticker = new Ticker({
      control: this,
      cleaner,
      presence: this.#presence,
      sweeper: new Sweeper({ db, engine: this.#engine, self: this.id, clock, logger }),
      clock,
      logger,
    });
  }

  /** Migrates, launches the engine, takes over what others left. Serve it next, then `ready`. */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const plugins = options.plugins ?? [];
    const own = (options.controlCommands ?? []).map((command) => command.type);
    const types = new CommandTypes([...(await allCommandTypes(plugins)), ...own]);
    const collectors = await loadCollectors(plugins);
    const pool = openPool(options.databaseUrl, { max: 16, logger: options.logger });
    const control = new ControlPlane(options, types, collectors, pool);
    try {
      await migrate(pool);
      await control.listener.open();
    } catch (error) {
      await control.listener.close();
      await pool.end();
      throw error;
    }
    return control;
  }

  workerRoutes(router: ConnectRouter): void {
    this.#gateway.routes(router);
  }

  /**
   * Once it is served: from here on it drives runs. `workerUrl` is how a worker on this machine reaches it, `tlsName`
   * the name in its certificate where that is another.
   */
  async ready(address: { url: string; workerUrl: string; tlsName?: string }): Promise<void> {
    this.#workerUrl = address.workerUrl;
    this.#workerTlsName = address.tlsName;
    await this.#presence.announce(this.version);
    await this.#presence.setAddress(address);
    await this.#engine.launch();
    this.#ticker.start();
  }

  /**
   * Leaves: its unfinished runs go on where another control plane is, or when the next one starts. Its local workers
   * are ended unless they are somebody else's too.
   */
  async stop(): Promise<void> {
    await this.quiesce();
    this.#gateway.closeAll();
    await this.#presence
      .leave()
      .catch((error: unknown) => this.logger.debug({ err: error }, 'could not say goodbye'));
    await this.listener.close();
    await this.db.destroy();
  }

  /** The first half of `stop`, while it is still served: its workers put settings back and say how far they came. */
  async quiesce(): Promise<void> {
    this.#quiet ??= (async () => {
      await this.#ticker.stop();
      await this.#engine.stop();
      await Promise.all(this.#launcher.children().map((id) => this.#launcher.reap(id)));
    })();
    await this.#quiet;
  }

  async #contextOf(attempt: AttemptRow): Promise<AssignmentContext> {
    const { db } = this;
    const run = await db
      .selectFrom('runs')
      .select('target_id')
      .where('id', '=', attempt.run_id)
      .executeTakeFirstOrThrow();
    const clones = await db
      .selectFrom('clones')
      .selectAll()
      .where('run_id', '=', attempt.run_id)
      .where('state', '=', 'READY')
      .execute();
    const commands = await db
      .selectFrom('commands')
      .select(['name', 'type', 'output'])
      .where('run_id', '=', attempt.run_id)
      .execute();
    const type = this.commandTypes.get(commands.find((command) => command.name === attempt.command)!.type);
    const named = new Set(type?.references?.(attempt.input).map((reference) => reference.command));
    return {
      ...(run.target_id !== null && { target: await this.targets.access(run.target_id) }),
      clones: clones
        .filter((clone) => clone.connection !== null && clone.command !== null)
        .map((clone) => ({
          id: clone.id,
          command: clone.command!,
          workerId: clone.worker_id,
          connection: clone.connection!,
        })),
      outputs: Object.fromEntries(
        commands
          .filter((command) => named.has(command.name))
          .map((command) => [command.name, command.output]),
      ),
    };
  }
}
