import { sql } from 'kysely';
import { InputError, type Logger, newId, OttoError, silentLogger } from '../../base/index.js';
import { addressOf } from '../../postgres/index.js';
import { type Database, dbNow, json, type SecretBox, type TargetRow } from '../../store/index.js';
import type { TargetAccess } from '../../workers/index.js';
import { checkTarget } from './check-target.js';
import { nameTaken } from './name-taken.js';
import { readHealth, type TargetHealth } from './target-health.js';
import { checkTargetName, removedName } from './target-name.js';
import type { Actor } from './types.js';

export interface NewTarget {
  name: string;
  /** `postgresql://user:password@host:port/database` */
  url: string;
  replicaUrl?: string;
  production: boolean;
}

/** The databases that are driven. Their connection strings are encrypted at rest and never shown again. */
export class Targets {
  readonly #db: Database;
  readonly #secrets: SecretBox;
  readonly #logger: Logger;
  readonly #connectTimeoutMs: number;

  constructor(options: {
    db: Database;
    secrets: SecretBox;
    logger?: Logger;
    /** How long a check waits for a connection; default 5 s. */
    connectTimeoutMs?: number;
  }) {
    this.#db = options.db;
    this.#secrets = options.secrets;
    this.#logger = options.logger ?? silentLogger;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 5_000;
  }

  /** Registers a target and checks it. One that cannot be reached is registered all the same, as UNHEALTHY. */
  async add(request: NewTarget, _actor: Actor): Promise<TargetRow> {
    const name = checkTargetName(request.name);
    const address = at('url', () => addressOf(request.url));
    const { replicaUrl } = request;
    const replicaAddress =
      replicaUrl === undefined ? undefined : at('replicaUrl', () => addressOf(replicaUrl));
    if (replicaAddress && replicaAddress.host === address.host && replicaAddress.port === address.port) {
      throw new InputError('replicaUrl: names the same server as url', {
        issues: [{ path: 'replicaUrl', message: 'names the same server as url' }],
      });
    }
    const id = newId('tgt');
    try {
      await this.#db
        .insertInto('targets')
        .values({
          id,
          name,
          url_secret: this.#secrets.seal(request.url),
          replica_url_secret: replicaUrl === undefined ? null : this.#secrets.seal(replicaUrl),
          address: json(address),
          replica_address: replicaAddress ? json(replicaAddress) : null,
          production: request.production,
        })
        .execute();
    } catch (error) {
      throw nameTaken(error, 'target', name);
    }
    return await this.check(id);
  }

  /** Connects and writes down what it finds. A server that is away makes the target UNHEALTHY, never an error. */
  async check(id: string): Promise<TargetRow> {
    const row = await this.find(id);
    const health = await checkTarget(this.#open(row), this.#connectTimeoutMs);
    await this.#warnOfTwin(row, health);
    const updated = await this.#db
      .updateTable('targets')
      .set({
        state: health.error === undefined ? 'HEALTHY' : 'UNHEALTHY',
        health: json(health),
        checked_at: dbNow,
      })
      .where('id', '=', row.id)
      .where('removed_at', 'is', null)
      .returningAll()
      .executeTakeFirst();
    if (!updated) throw notFound(id);
    return updated;
  }

  /**
   * Checks every target whose last check is older than `olderThanMs`, a few at a time. Never throws: with several
   * control planes and a moving fleet, some other one may have removed what this one looks at.
   */
  async checkAll(options: { olderThanMs?: number; signal?: AbortSignal } = {}): Promise<void> {
    const age = `${(options.olderThanMs ?? 0) / 1000} seconds`;
    const due = await this.#db
      .selectFrom('targets')
      .select('id')
      .where('removed_at', 'is', null)
      .where(sql<boolean>`(checked_at is null or checked_at <= now() - ${age}::interval)`)
      .orderBy('checked_at', (order) => order.asc().nullsFirst())
      .execute();
    const next = due.values();
    const work = async (): Promise<void> => {
      for (const { id } of next) {
        if (options.signal?.aborted) return;
        await this.check(id).catch((error) =>
          this.#logger.warn({ err: error, target: id }, 'a target could not be checked'),
        );
      }
    };
    await Promise.all([work(), work(), work(), work()]);
  }

  /**
   * Forgets a target and its secrets; its history stays. Refused while anything of ours is going on there:
   * TARGET_BUSY names it.
   */
  async remove(id: string, _actor: Actor): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      // A run that is being submitted refers to this row and waits, or was there before and is seen below.
      const row = await transaction
        .selectFrom('targets')
        .selectAll()
        .where('id', '=', id)
        .where('removed_at', 'is', null)
        .forUpdate()
        .executeTakeFirst();
      if (!row) throw notFound(id);
      const obstacles = await findObstacles(transaction, id);
      if (obstacles.length > 0) {
        throw new OttoError('TARGET_BUSY', `target "${row.name}" is in use: ${obstacles.join('; ')}`, {
          hint: 'Cancel the runs, stop the clones, remove the schedules and restore the open changes first.',
        });
      }
      await transaction
        .updateTable('targets')
        .set({
          removed_at: dbNow,
          name: removedName(row.name, row.id),
          url_secret: '',
          replica_url_secret: null,
          health: null,
        })
        .where('id', '=', id)
        .execute();
    });
  }

  /** With the connection strings in clear: for workers, in memory only. */
  async access(id: string): Promise<TargetAccess> {
    const row = await this.find(id);
    return { id: row.id, name: row.name, production: row.production, ...this.#open(row) };
  }

  async find(idOrName: string): Promise<TargetRow> {
    const row = await this.#db
      .selectFrom('targets')
      .selectAll()
      .where('removed_at', 'is', null)
      .where((or) => or.or([or('id', '=', idOrName), or('name', '=', idOrName)]))
      .executeTakeFirst();
    if (!row) throw notFound(idOrName);
    return row;
  }

  async list(): Promise<TargetRow[]> {
    return await this.#db
      .selectFrom('targets')
      .selectAll()
      .where('removed_at', 'is', null)
      .orderBy('name')
      .execute();
  }

  #open(row: TargetRow): { primaryUrl: string; replicaUrl?: string } {
    return {
      primaryUrl: this.#secrets.open(row.url_secret),
      ...(row.replica_url_secret !== null && { replicaUrl: this.#secrets.open(row.replica_url_secret) }),
    };
  }

  /** Two targets that are one server would journal each other's settings: worth a warning, perhaps meant. */
  async #warnOfTwin(row: TargetRow, health: TargetHealth): Promise<void> {
    if (health.systemIdentifier === undefined) return;
    for (const other of await this.list()) {
      if (other.id === row.id || readHealth(other)?.systemIdentifier !== health.systemIdentifier) continue;
      health.warnings = [...(health.warnings ?? []), describeTwin(row, other)];
    }
  }
}

/** Equal identifiers mean one cluster or a physical copy of it; only the address tells which. */
function describeTwin(row: TargetRow, other: TargetRow): string {
  const [here, there] = [row.address, other.address];
  if (here.host !== there.host || here.port !== there.port) {
    return `target "${other.name}" is the same server under another address, or a physical copy of it`;
  }
  return here.database === there.database
    ? `target "${other.name}" is the same database`
    : `target "${other.name}" is another database of the same server`;
}

async function findObstacles(db: Database, targetId: string): Promise<string[]> {
  const [runs, changes, schedules, clones] = await Promise.all([
    db
      .selectFrom('runs')
      .select('id')
      .where('target_id', '=', targetId)
      .where('state', 'in', ['PENDING', 'RUNNING'])
      .execute(),
    db
      .selectFrom('changes')
      .select('setting')
      .where('target_id', '=', targetId)
      .where('state', '=', 'INTENDED')
      .execute(),
    db.selectFrom('schedules').select('name').where('target_id', '=', targetId).execute(),
    db
      .selectFrom('clones')
      .select('id')
      .where('target_id', '=', targetId)
      .where('state', 'in', ['STARTING', 'READY', 'STOPPING'])
      .execute(),
  ]);
  return [
    ...runs.map(({ id }) => `run ${id} is active`),
    ...changes.map(({ setting }) => `the change of ${setting} is open`),
    ...schedules.map(({ name }) => `schedule "${name}" starts runs of it`),
    ...clones.map(({ id }) => `clone ${id} of it is up`),
  ];
}

function at<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${path}: ${error.message}`, {
      hint: error.hint,
      issues: [{ path, message: error.message }],
    });
  }
}

function notFound(idOrName: string): OttoError {
  return new OttoError('TARGET_NOT_FOUND', `there is no target ${idOrName}`);
}
