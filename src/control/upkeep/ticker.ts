import { type Clock, type Logger, OttoError } from '../../base/index.js';
import type { RunCleaner } from '../dispatch/run-cleaner.js';
import type { Control } from '../services/types.js';
import type { Presence } from './presence.js';
import type { Sweeper } from './sweeper.js';

export interface TickerOptions {
  control: Pick<Control, 'schedules' | 'runs' | 'targets' | 'artifacts' | 'db'>;
  cleaner: RunCleaner;
  presence: Presence;
  sweeper: Sweeper;
  clock: Clock;
  logger: Logger;
}

interface Chore {
  name: string;
  everyMs: number;
  work(): Promise<unknown>;
}

/** What a control plane does by the clock. Chores do not wait for each other; one that fails is tried again. */
export class Ticker {
  readonly #options: TickerOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[] = [];

  constructor(options: TickerOptions) {
    this.#options = options;
  }

  start(): void {
    const { control, cleaner, presence, sweeper } = this.#options;
    const chores: Chore[] = [
      { name: 'renew the lease', everyMs: 2_000, work: () => presence.renew() },
      { name: 'look for who is gone', everyMs: 2_000, work: () => sweeper.sweep() },
      { name: 'fire schedules', everyMs: 1_000, work: () => this.#fire() },
      { name: 'put settings back', everyMs: 15_000, work: () => cleaner.restoreLeftovers() },
      { name: 'remove clones left behind', everyMs: 60_000, work: () => this.#dropLeftClones() },
      { name: 'tend workers of ended runs', everyMs: 60_000, work: () => cleaner.tendWorkers() },
      {
        name: 'check targets',
        everyMs: 10_000,
        work: () => control.targets.checkAll({ olderThanMs: 60_000, signal: this.#stop.signal }),
      },
      { name: 'sweep artifacts', everyMs: 3_600_000, work: () => control.artifacts.sweep() },
    ];
    for (const chore of chores) this.#running.push(this.#repeat(chore));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #repeat(chore: Chore): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await chore.work();
      } catch (error) {
        if (!signal.aborted)
          this.#options.logger.warn({ err: error }, `could not ${chore.name}; trying again`);
      }
      await this.#options.clock.sleep(chore.everyMs, signal).catch(() => {});
    }
  }

  async #fire(): Promise<void> {
    const { schedules, runs, db } = this.#options.control;
    for (const schedule of await schedules.claim(new Date(this.#options.clock.now()))) {
      try {
        if (schedule.overlap === 'skip' && schedule.last_run_id) {
          const last = await db
            .selectFrom('runs')
            .select('ended_at')
            .where('id', '=', schedule.last_run_id)
            .executeTakeFirst();
          if (last && !last.ended_at) {
            await schedules.fired(schedule.id, {
              note: `skipped: run ${schedule.last_run_id} has not ended`,
            });
            continue;
          }
        }
        const runId = await runs.submit(
          {
            document: schedule.document,
            parameters: schedule.parameters,
            scheduleId: schedule.id,
            ...(schedule.target_id !== null && { target: schedule.target_id }),
          },
          { name: `schedule ${schedule.name}`, role: 'operator' },
        );
        await schedules.fired(schedule.id, { runId });
      } catch (error) {
        await schedules.fired(schedule.id, { note: `failed: ${OttoError.from(error).message}` });
      }
    }
  }

  /** Clones of runs that ended while nobody could reach their worker. */
  async #dropLeftClones(): Promise<void> {
    const { db } = this.#options.control;
    const left = await db
      .selectFrom('clones')
      .innerJoin('runs', 'runs.id', 'clones.run_id')
      .innerJoin('workers', 'workers.id', 'clones.worker_id')
      .selectAll('clones')
      .where('clones.state', '<>', 'STOPPED')
      .where('clones.keep', '=', false)
      .where('runs.ended_at', 'is not', null)
      .where((where) => where.or([where('workers.state', '=', 'READY'), where('workers.how', '=', 'local')]))
      .execute();
    for (const clone of left) await this.#options.cleaner.dropClone(clone);
  }
}
