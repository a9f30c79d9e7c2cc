import { sql } from 'kysely';
import { OttoError } from '../base/index.js';
import type { Database, Listener } from '../store/index.js';
import type { RunCleaner } from './dispatch/run-cleaner.js';
import type { Actor, Fleet } from './services/index.js';
import type { WorkerGateway } from './workers/gateway.js';

export interface FleetOptions {
  db: Database;
  gateway: WorkerGateway;
  cleaner: RunCleaner;
  listener: Pick<Listener, 'on'>;
}

interface Order {
  workerId: string;
  order: 'DRAIN' | 'STOP' | 'DROP_CLONE';
  subject: string;
}

/** What people ask of workers and clones. */
export class FleetService implements Fleet {
  readonly #options: FleetOptions;

  constructor(options: FleetOptions) {
    this.#options = options;
    // The worker may be attached to another control plane: whoever holds its connection passes the order on.
    options.listener.on('otto_order', (payload) => {
      if (payload === '') return;
      const { workerId, order, subject } = JSON.parse(payload) as Order;
      options.gateway.order(workerId, order, subject);
    });
  }

  async drain(workerId: string, _actor: Actor): Promise<void> {
    await this.#mustExist(workerId);
    await this.#options.db
      .updateTable('workers')
      .set({ state: 'DRAINING' })
      .where('id', '=', workerId)
      .where('state', 'in', ['READY', 'DRAINING'])
      .execute();
    await this.#tell({ workerId, order: 'DRAIN', subject: '' });
  }

  async stop(workerId: string, actor: Actor): Promise<void> {
    await this.#mustExist(workerId);
    await this.#options.cleaner.stopWorker(workerId, `stopped by ${actor.name}`);
  }

  async stopClone(cloneId: string, _actor: Actor): Promise<void> {
    const clone = await this.#options.db
      .selectFrom('clones')
      .selectAll()
      .where('id', '=', cloneId)
      .executeTakeFirst();
    if (!clone) throw new OttoError('CLONE_NOT_FOUND', `there is no clone ${cloneId}`);
    const note = await this.#options.cleaner.dropClone(clone);
    if (note.level === 'warn') throw new OttoError('CLONE_NOT_REMOVED', note.message, { transient: true });
  }

  async restoreChanges(targetId: string, _actor: Actor): Promise<void> {
    const busy = await this.#options.db
      .selectFrom('changes')
      .innerJoin('runs', 'runs.id', 'changes.run_id')
      .select('runs.id')
      .where('changes.target_id', '=', targetId)
      .where('changes.state', '=', 'INTENDED')
      .where('runs.ended_at', 'is', null)
      .executeTakeFirst();
    if (busy) {
      throw new OttoError(
        'TARGET_BUSY',
        `run ${busy.id} still needs these settings and puts them back itself`,
        {
          hint: 'Cancel the run to have them put back now.',
        },
      );
    }
    const notes = await this.#options.cleaner.restoreLeftovers({ targetId });
    const failed = notes.find((note) => note.level === 'warn');
    if (failed) throw new OttoError('SETTINGS_NOT_RESTORED', failed.message, { transient: true });
  }

  async #tell(order: Order): Promise<void> {
    if (!this.#options.gateway.order(order.workerId, order.order, order.subject)) {
      await sql`select pg_notify('otto_order', ${JSON.stringify(order)})`.execute(this.#options.db);
    }
  }

  async #mustExist(workerId: string): Promise<void> {
    const row = await this.#options.db
      .selectFrom('workers')
      .select('id')
      .where('id', '=', workerId)
      .executeTakeFirst();
    if (!row) throw new OttoError('WORKER_NOT_FOUND', `there is no worker ${workerId}`);
  }
}
