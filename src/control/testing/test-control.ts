import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { z } from 'zod';
import { type Logger, newId, OttoError, silentLogger } from '../../base/index.js';
import { CommandTypes, type Dag, defineCommandType } from '../../dag/index.js';
import { startTestPostgres, type TestPostgres, testFolder } from '../../postgres/testing/index.js';
import {
  ArtifactStore,
  type Database,
  json,
  Listener,
  migrate,
  openDatabase,
  openPool,
  SecretBox,
} from '../../store/index.js';
import { Audit } from '../services/audit.js';
import { Schedules } from '../services/schedules.js';
import { Targets } from '../services/targets.js';
import { Tokens } from '../services/tokens.js';
import type { Actor, Control, Fleet, RunService } from '../services/types.js';

/** A control plane without an engine: real database, real services; runs are stored and never carried out. */
export interface TestControl extends Control {
  postgres: TestPostgres;
  databaseUrl: string;
  secretKey: string;
  /** Calls that reached the fleet, as `verb id`. */
  fleetCalls: string[];
  stop(): Promise<void>;
}

export const testActor: Actor = { name: 'tester', role: 'admin' };

/** `again`: a second control plane on the database of the first. */
export async function startTestControl(
  options: { logger?: Logger; again?: TestControl; retentionDays?: number } = {},
): Promise<TestControl> {
  const logger = options.logger ?? silentLogger;
  const postgres = options.again?.postgres ?? (await startTestPostgres());
  const folder = await testFolder();
  const { url } = postgres;
  const pool = openPool(url, { logger });
  await migrate(pool);
  const db = openDatabase(pool);
  const listener = new Listener(url, logger);
  await listener.open();
  const secretKey = options.again?.secretKey ?? SecretBox.newKey();
  const secrets = new SecretBox(secretKey);
  const targets = new Targets({ db, secrets, logger, connectTimeoutMs: 1_000 });
  const runs = new StoredRuns(db, targets);
  const fleetCalls: string[] = [];
  const control = {
    id: newId('cp'),
    version: '0.0.0-test',
    db,
    pool,
    listener,
    logger,
    secrets,
    commandTypes: testCommandTypes(),
    collectors: [{ type: 'CATALOG', summary: 'The catalogue.', config: z.object({ schema: z.string() }) }],
    runs,
    fleet: recordingFleet(fleetCalls),
    targets,
    tokens: new Tokens({ db }),
    audit: new Audit({ db }),
    schedules: new Schedules({
      db,
      validate: (document) => runs.validate(document),
      findTarget: (name) => targets.find(name),
    }),
    artifacts: new ArtifactStore({
      db,
      directory: join(folder, 'artifacts'),
      logger,
      ...(options.retentionDays !== undefined && { retentionDays: options.retentionDays }),
    }),
    workerRoutes: () => {},
  };
  return Object.assign(control, {
    postgres,
    databaseUrl: url,
    secretKey,
    fleetCalls,
    stop: async () => {
      await listener.close();
      await endPool(pool);
      if (!options.again) await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  });
}

async function endPool(pool: pg.Pool): Promise<void> {
  if (!pool.ended) await pool.end();
}

function testCommandTypes(): CommandTypes {
  return new CommandTypes([
    defineCommandType({
      type: 'WAIT',
      summary: 'Waits.',
      place: 'control',
      config: z.object({ seconds: z.number().default(1) }) as unknown as z.ZodType,
      output: z.object({ at: z.date() }),
      defaultTimeoutMs: 1_000,
      onWorkerLost: 'retry',
    }),
  ]);
}

function recordingFleet(calls: string[]): Fleet {
  const note = (verb: string) => async (id: string) => {
    calls.push(`${verb} ${id}`);
  };
  return {
    drain: note('drain'),
    stop: note('stop'),
    stopClone: note('stop clone'),
    restoreChanges: note('restore'),
  };
}

const documentSchema = z.object({ name: z.string(), commands: z.array(z.string()) });

/** Runs as rows; a document is `{ name, commands: [names] }`. */
class StoredRuns implements RunService {
  readonly #db: Database;
  readonly #targets: Targets;

  constructor(db: Database, targets: Targets) {
    this.#db = db;
    this.#targets = targets;
  }

  validate(document: unknown): ReturnType<RunService['validate']> {
    const parsed = documentSchema.safeParse(document);
    if (!parsed.success) return { issues: [{ path: 'name', message: 'is missing', line: 1 }] };
    const dag: Dag = {
      name: parsed.data.name,
      version: '1',
      parameters: [],
      commands: parsed.data.commands.map((name) => ({
        name,
        type: 'WAIT',
        parents: [],
        config: {},
        retry: { attempts: 2, backoffMs: 0, factor: 1, maxBackoffMs: 0 },
        when: 'all_succeeded',
        cleanup: false,
      })),
    };
    return { dag, issues: [] };
  }

  async submit(request: Parameters<RunService['submit']>[0], actor: Actor): Promise<string> {
    const { dag } = this.validate(request.document);
    if (!dag) throw new OttoError('INVALID_INPUT', 'the DAG has errors');
    const target = request.target === undefined ? undefined : await this.#targets.find(request.target);
    const id = newId('run');
    await this.#db
      .insertInto('runs')
      .values({
        id,
        name: dag.name,
        dag: json(dag),
        document: json(request.document),
        parameters: json(request.parameters ?? {}),
        target_id: target?.id,
        created_by: actor.name,
      })
      .execute();
    const commands = dag.commands.map(({ name, type }, ordinal) => ({
      run_id: id,
      name,
      ordinal,
      type,
      parents: [],
    }));
    if (commands.length > 0) await this.#db.insertInto('commands').values(commands).execute();
    return id;
  }

  async cancel(id: string, actor: Actor): Promise<void> {
    await this.#set(id, { cancel_requested_at: new Date(), cancel_requested_by: actor.name });
  }

  async resume(id: string): Promise<void> {
    await this.#set(id, { state: 'PENDING' });
  }

  async rerun(id: string, options: { parameters?: Record<string, unknown> }, actor: Actor): Promise<string> {
    const run = await this.#db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirst();
    if (!run) throw new OttoError('RUN_NOT_FOUND', `there is no run ${id}`);
    return await this.submit({ document: run.document, ...options }, actor);
  }

  async #set(id: string, values: Record<string, unknown>): Promise<void> {
    const { numUpdatedRows } = await this.#db
      .updateTable('runs')
      .set(values)
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) throw new OttoError('RUN_NOT_FOUND', `there is no run ${id}`);
  }
}
