import { hostname } from 'node:os';
import { sql } from 'kysely';
import { type Clock, isAlive, type Logger } from '../../base/index.js';
import type { DagEngine } from '../../dag/index.js';
import type { Database } from '../../store/index.js';
import { loseAttempts } from '../workers/attempt-rows.js';
import { controlPlaneLeaseMs, workerLeaseMs } from '../workers/leases.js';
import { Stillness } from './stillness.js';

export interface SweeperOptions {
  db: Database;
  engine: Pick<DagEngine, 'takeOver' | 'isDriven' | 'start'>;
  self: string;
  clock: Clock;
  logger: Logger;
}

/** Only one control plane sweeps at a time; the lock goes with the transaction, so also with a crash. */
const sweepLock = 7_205_759_404;

/** Notices who is gone: control planes (their runs are taken over) and workers (what they had in hand is lost). */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #planes: Stillness;
  readonly #workers: Stillness;
  #round = 0;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#planes = new Stillness(options.clock, controlPlaneLeaseMs);
    this.#workers = new Stillness(options.clock, workerLeaseMs);
  }

  async sweep(): Promise<void> {
    await this.#options.db.transaction().execute(async (tx) => {
      const { rows } = await sql<{
        held: boolean;
      }>`select pg_try_advisory_xact_lock(${sweepLock}) as held`.execute(tx);
      if (!rows[0]?.held) return;
      await this.#sweepPlanes();
      await this.#sweepWorkers();
      if (this.#round % 10 === 0) await this.#startForgotten();
      this.#round += 1;
    });
  }

  async #sweepPlanes(): Promise<void> {
    const { db, engine, self, logger } = this.#options;
    const planes = await db
      .selectFrom('control_planes')
      .select([
        'id',
        'host',
        'pid',
        sql<string>`lease_expires_at::text`.as('mark'),
        sql<boolean>`lease_expires_at = '-infinity'`.as('left'),
      ])
      .where('stopped_at', 'is', null)
      .where('id', '<>', self)
      .execute();
    const still = new Set(this.#planes.stale(planes));
    const gone = planes
      .filter(
        (plane) => plane.left || still.has(plane.id) || (plane.host === hostname() && !isAlive(plane.pid)),
      )
      .map((plane) => plane.id);
    if (gone.length === 0) return;
    // First the runs, then the mark: a crash in between only means that it is done again.
    const taken = await engine.takeOver(gone);
    await db
      .updateTable('control_planes')
      .set({ stopped_at: sql<Date>`now()` })
      .where('id', 'in', gone)
      .execute();
    logger.info({ controlPlanes: gone, runs: taken }, 'took over from control planes that are gone');
  }

  async #sweepWorkers(): Promise<void> {
    const { db, logger } = this.#options;
    const workers = await db
      .selectFrom('workers')
      .select(['id', 'name', sql<string>`lease_expires_at::text`.as('mark')])
      .where('state', 'in', ['READY', 'DRAINING'])
      .execute();
    for (const id of this.#workers.stale(
      workers.map((worker) => ({ id: worker.id, mark: worker.mark ?? '' })),
    )) {
      const lost = await db
        .updateTable('workers')
        .set({ state: 'LOST', note: 'its lease ran out' })
        .where('id', '=', id)
        .where('state', 'in', ['READY', 'DRAINING'])
        // Renewed in this very moment: then it lives.
        .where(sql<string>`lease_expires_at::text`, '=', workers.find((worker) => worker.id === id)!.mark)
        .returning('name')
        .executeTakeFirst();
      if (!lost) continue;
      logger.warn({ worker: id, name: lost.name }, 'a worker is lost');
      await loseAttempts(db, id, `worker ${lost.name} was not heard of for ${workerLeaseMs / 1000} s`);
    }
  }

  /** A crash between storing a run and starting its workflow leaves a run that nobody drives. */
  async #startForgotten(): Promise<void> {
    const { db, engine, logger } = this.#options;
    const open = await db
      .selectFrom('runs')
      .select(['id', 'generation'])
      .where('state', 'in', ['PENDING', 'RUNNING'])
      .where('created_at', '<', sql<Date>`now() - interval '5 seconds'`)
      .execute();
    for (const run of open) {
      if (await engine.isDriven(run.id, run.generation)) continue;
      const still = await db
        .selectFrom('runs')
        .select(['state', 'generation'])
        .where('id', '=', run.id)
        .executeTakeFirst();
      if (still?.generation !== run.generation || (still.state !== 'PENDING' && still.state !== 'RUNNING'))
        continue;
      const row = await db
        .updateTable('runs')
        .set((eb) => ({ generation: eb('generation', '+', 1) }))
        .where('id', '=', run.id)
        .where('generation', '=', run.generation)
        .returning('generation')
        .executeTakeFirst();
      if (!row) continue;
      logger.warn({ run: run.id }, 'a run was not driven by anybody; driving it');
      await engine.start(run.id, row.generation);
    }
  }
}
