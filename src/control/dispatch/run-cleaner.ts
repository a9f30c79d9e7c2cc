import { sql } from 'kysely';
import { type Clock, type Logger, OttoError } from '../../base/index.js';
import { connect, restoreSettings } from '../../postgres/index.js';
import type { ArtifactStore, ChangeRow, CloneRow, Database, RunRow } from '../../store/index.js';
import type { Targets } from '../services/targets.js';
import type { WorkerGateway } from '../workers/gateway.js';
import type { WorkerLauncher } from '../workers/launcher.js';

export interface RunCleanerOptions {
  db: Database;
  gateway: Pick<WorkerGateway, 'order'>;
  launcher: WorkerLauncher;
  targets: Pick<Targets, 'access'>;
  artifacts: Pick<ArtifactStore, 'remove'>;
  clock: Clock;
  logger: Logger;
}

type Note = { level: 'info' | 'warn'; message: string };

const cloneLimitMs = 60_000;
const workerLimitMs = 15_000;

/** Makes sure that nothing of a run stays behind: settings on the target, clones, workers, in that order. */
export class RunCleaner {
  readonly #options: RunCleanerOptions;

  constructor(options: RunCleanerOptions) {
    this.#options = options;
  }

  async clean(run: RunRow): Promise<Note[]> {
    return [
      ...(await this.#restore(run.id)),
      ...(await this.#dropClones(run)),
      ...(await this.#stopWorkers(run)),
    ];
  }

  /** Puts back what a lost attempt of a command left changed; it must be back before the next attempt. */
  async restoreChangesOf(runId: string, command: string): Promise<void> {
    const open = await this.#open((change) => change.run_id === runId && change.command === command);
    const notes = await this.#restoreAll(open);
    const failed = notes.find((note) => note.level === 'warn');
    if (failed) throw new OttoError('SETTINGS_NOT_RESTORED', failed.message, { transient: true });
  }

  /** What an attempt stored before it was lost: its successor stores it anew. */
  async discardArtifactsOf(runId: string, command: string): Promise<void> {
    const { db, artifacts } = this.#options;
    const stored = await db
      .selectFrom('artifacts')
      .select('id')
      .where('run_id', '=', runId)
      .where('command', '=', command)
      .where('deleted_at', 'is', null)
      .execute();
    for (const { id } of stored) await artifacts.remove(id);
  }

  /** Puts back the open changes of runs that have ended, of one target or of all. What cannot be reached stays open. */
  async restoreLeftovers(filter: { targetId?: string } = {}): Promise<Note[]> {
    const { db } = this.#options;
    const open = await db
      .selectFrom('changes')
      .leftJoin('runs', 'runs.id', 'changes.run_id')
      .selectAll('changes')
      .where('changes.state', '=', 'INTENDED')
      .$if(filter.targetId !== undefined, (query) => query.where('changes.target_id', '=', filter.targetId!))
      .where((where) =>
        where.or([where('runs.ended_at', 'is not', null), where('changes.run_id', 'is', null)]),
      )
      .execute();
    return await this.#restoreAll(open);
  }

  /** Asks for a clone's end and waits for it. */
  async dropClone(clone: CloneRow): Promise<Note> {
    const { db, gateway, launcher, clock } = this.#options;
    await db
      .updateTable('clones')
      .set({ state: 'STOPPING' })
      .where('id', '=', clone.id)
      .where('state', 'in', ['STARTING', 'READY', 'LOST'])
      .execute();
    const began = clock.monotonic();
    try {
      // Its worker cleans up on attaching; a worker of ours that died is started again for that.
      await launcher.ensure(clone.worker_id, AbortSignal.timeout(cloneLimitMs));
      for (let ordered = 0; clock.monotonic() - began < cloneLimitMs; ordered += 1) {
        const now = await db
          .selectFrom('clones')
          .select('state')
          .where('id', '=', clone.id)
          .executeTakeFirst();
        if (!now || now.state === 'STOPPED') return { level: 'info', message: `clone ${clone.id} removed` };
        // Repeated now and then: the worker may have come back in between. Another control plane may hold its connection.
        if (ordered % 20 === 0 && !gateway.order(clone.worker_id, 'DROP_CLONE', clone.id))
          await this.#askElsewhere(clone.worker_id, 'DROP_CLONE', clone.id);
        await clock.sleep(100);
      }
    } catch (error) {
      this.#options.logger.warn({ err: error, clone: clone.id }, 'a clone could not be removed yet');
    }
    const note = `clone ${clone.id} could not be removed yet: its worker ${clone.worker_id} does not answer; it removes it when it comes back`;
    await db
      .updateTable('clones')
      .set({ state: 'LOST', note })
      .where('id', '=', clone.id)
      .where('state', '<>', 'STOPPED')
      .execute();
    return { level: 'warn', message: note };
  }

  async stopWorker(workerId: string, note: string): Promise<void> {
    const { db, gateway, launcher, clock } = this.#options;
    await db
      .updateTable('workers')
      .set({ state: 'DRAINING' })
      .where('id', '=', workerId)
      .where('state', '=', 'READY')
      .execute();
    if (!gateway.order(workerId, 'STOP')) await this.#askElsewhere(workerId, 'STOP', '');
    const began = clock.monotonic();
    while (clock.monotonic() - began < workerLimitMs) {
      const row = await db
        .selectFrom('workers')
        .select('state')
        .where('id', '=', workerId)
        .executeTakeFirst();
      if (!row || row.state === 'STOPPED' || row.state === 'LOST' || row.state === 'STARTING') break;
      await clock.sleep(50);
    }
    await launcher.reap(workerId);
    await db
      .updateTable('workers')
      .set({ state: 'STOPPED', stopped_at: sql<Date>`coalesce(stopped_at, now())`, note })
      .where('id', '=', workerId)
      .execute();
    await db
      .updateTable('tokens')
      .set({ revoked_at: sql<Date>`now()` })
      .where('id', 'in', (select) =>
        select
          .selectFrom('workers')
          .select('token_id')
          .where('id', '=', workerId)
          .where('how', '<>', 'manual'),
      )
      .execute();
  }

  /** Workers of runs that have ended: each goes once it holds no clone, and comes back to look after one that it holds. */
  async tendWorkers(): Promise<void> {
    const { db, launcher, logger } = this.#options;
    const workers = await db
      .selectFrom('workers')
      .innerJoin('runs', 'runs.id', 'workers.run_id')
      .select(['workers.id', 'workers.how', 'workers.state'])
      .select((select) =>
        select
          .exists(
            select
              .selectFrom('clones')
              .select('clones.id')
              .whereRef('clones.worker_id', '=', 'workers.id')
              .where('clones.state', '<>', 'STOPPED'),
          )
          .as('holds'),
      )
      .where('workers.state', '<>', 'STOPPED')
      .where('runs.ended_at', 'is not', null)
      .execute();
    for (const worker of workers) {
      try {
        if (!worker.holds) await this.stopWorker(worker.id, 'its run has ended');
        else if (worker.how === 'local') await launcher.ensure(worker.id, AbortSignal.timeout(cloneLimitMs));
      } catch (error) {
        logger.warn(
          { err: error, worker: worker.id },
          'a worker of a run that has ended could not be tended',
        );
      }
    }
  }

  async #askElsewhere(workerId: string, order: string, subject: string): Promise<void> {
    await sql`select pg_notify('otto_order', ${JSON.stringify({ workerId, order, subject })})`.execute(
      this.#options.db,
    );
  }

  async #restore(runId: string): Promise<Note[]> {
    return await this.#restoreAll(await this.#open((change) => change.run_id === runId));
  }

  async #open(wanted: (change: ChangeRow) => boolean): Promise<ChangeRow[]> {
    const open = await this.#options.db
      .selectFrom('changes')
      .selectAll()
      .where('state', '=', 'INTENDED')
      .execute();
    return open.filter(wanted);
  }

  async #restoreAll(open: ChangeRow[]): Promise<Note[]> {
    const groups = new Map<string, ChangeRow[]>();
    for (const change of open) {
      const key = `${change.target_id} ${change.server}`;
      groups.set(key, [...(groups.get(key) ?? []), change]);
    }
    const notes: Note[] = [];
    for (const changes of groups.values()) notes.push(await this.#restoreServer(changes));
    return notes;
  }

  async #restoreServer(changes: ChangeRow[]): Promise<Note> {
    const { target_id: targetId, server } = changes[0]!;
    try {
      const access = await this.#options.targets.access(targetId);
      const url = server === 'primary' ? access.primaryUrl : access.replicaUrl;
      if (!url) throw new OttoError('NO_REPLICA', `target ${access.name} has no replica any more`);
      // Reachable at all? A clear word before the journal is touched.
      await (await connect(url, { connectTimeoutMs: 5_000 })).end();
      const results = await restoreSettings(url, changes, {
        intend: () => Promise.reject(new Error('restoring changes nothing new')),
        resolve: async (id, state, note) => {
          await this.#options.db
            .updateTable('changes')
            .set({ state, note: note ?? null, resolved_at: sql<Date>`now()` })
            .where('id', '=', id)
            .where('state', '=', 'INTENDED')
            .execute();
        },
      });
      return {
        level: 'info',
        message: `settings put back on ${access.name} (${server}): ${results.map((each) => each.setting).join(', ')}`,
      };
    } catch (error) {
      const names = changes.map((change) => change.setting).join(', ');
      const message = `settings on the ${server} of target ${targetId} are not put back yet (${names}): ${(error as Error).message}`;
      return { level: 'warn', message };
    }
  }

  async #dropClones(run: RunRow): Promise<Note[]> {
    const clones = await this.#options.db
      .selectFrom('clones')
      .selectAll()
      .where('run_id', '=', run.id)
      .where('keep', '=', false)
      .where('state', '<>', 'STOPPED')
      .execute();
    return await Promise.all(clones.map((clone) => this.dropClone(clone)));
  }

  async #stopWorkers(run: RunRow): Promise<Note[]> {
    const workers = await this.#options.db
      .selectFrom('workers')
      .select(['id', 'name'])
      .where('run_id', '=', run.id)
      .where('state', '<>', 'STOPPED')
      .execute();
    return await Promise.all(
      workers.map(async (worker): Promise<Note> => {
        const kept = await this.#options.db
          .selectFrom('clones')
          .select('id')
          .where('worker_id', '=', worker.id)
          .where('state', '<>', 'STOPPED')
          .executeTakeFirst();
        if (kept) {
          return { level: 'info', message: `worker ${worker.name} stays: it holds clone ${kept.id}` };
        }
        await this.stopWorker(worker.id, 'its run has ended');
        return { level: 'info', message: `worker ${worker.name} stopped` };
      }),
    );
  }
}
