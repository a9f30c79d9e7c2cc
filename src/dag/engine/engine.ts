import { type Clock, type Logger, OttoError } from '../../base/index.js';
import type { Database, Listener } from '../../store/index.js';
import type { CommandTypes } from '../command-type.js';
import type { Dispatcher } from './dispatcher.js';
import { DurableEngine } from './durable.js';
import { isOutage } from './outage.js';
import { RunDriver } from './run-driver.js';
import { FencedError } from './run-rows.js';

export interface EngineOptions {
  db: Database;
  databaseUrl: string;
  listener: Listener;
  types: CommandTypes;
  dispatcher: Dispatcher;
  /** Id of this control plane. */
  owner: string;
  clock: Clock;
  logger: Logger;
}

/** A round that fails this often in a row, and not for want of a database, ends its run. */
const maxFailures = 10;

/** Runs DAGs durably: many at once, each driven by exactly one control plane, taken over when that one is gone. */
export class DagEngine {
  readonly #options: EngineOptions;
  readonly #durable = new DurableEngine();
  readonly #drivers = new Map<string, RunDriver>();
  #stopping = false;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  async launch(): Promise<void> {
    const { listener } = this.#options;
    listener.on('otto_run', (runId) =>
      runId === '' ? this.#wakeAll() : this.#drivers.get(runId)?.wake.now(),
    );
    listener.on('otto_lock', () => this.#wakeAll());
    listener.on('otto_fleet', (payload) => {
      if (payload === '' || payload.startsWith('workers')) this.#wakeAll();
    });
    await this.#durable.launch(
      { open: (runId) => this.#open(runId) },
      {
        databaseUrl: this.#options.databaseUrl,
        executorId: this.#options.owner,
        logger: this.#options.logger,
      },
    );
  }

  /** Starts (or finds) the workflow of a run's generation. The run's rows must be there. */
  async start(runId: string, generation: number): Promise<void> {
    await this.#durable.start(runId, generation);
  }

  /** Takes over the runs of control planes that are gone. Returns the ids of their workflows. */
  async takeOver(controlPlaneIds: string[]): Promise<string[]> {
    return await this.#durable.takeOver(controlPlaneIds);
  }

  async isDriven(runId: string, generation: number): Promise<boolean> {
    return await this.#durable.isActive(runId, generation);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const driver of this.#drivers.values()) driver.abandon();
    await this.#durable.shutdown();
  }

  async #open(runId: string): Promise<{ round(): Promise<boolean> }> {
    const driver = new RunDriver(runId, this.#options);
    this.#drivers.set(runId, driver);
    await this.#persist(runId, () => driver.open());
    return {
      round: async () => {
        const ended = await this.#persist(runId, () => driver.round(), driver);
        if (ended && this.#drivers.get(runId) === driver) this.#drivers.delete(runId);
        return ended;
      },
    };
  }

  /**
   * Tries until it works. An error thrown out of a round would be recorded as the end of the workflow while the run's
   * rows say RUNNING; so only a fenced driver throws, because then another one goes on.
   */
  async #persist<T>(runId: string, work: () => Promise<T>, driver?: RunDriver): Promise<T> {
    for (let failures = 0; ; failures += 1) {
      if (this.#stopping) await new Promise(() => {});
      try {
        if (failures > 0) await driver?.reload();
        return await work();
      } catch (error) {
        if (error instanceof FencedError) {
          driver?.abandon();
          if (driver && this.#drivers.get(runId) === driver) this.#drivers.delete(runId);
          throw error;
        }
        this.#options.logger.warn(
          { err: error, run: runId, failures },
          'a round of a run failed; trying again',
        );
        if (driver && failures >= maxFailures && !isOutage(error)) {
          await driver.giveUp(
            new OttoError('INTERNAL', `the run cannot be driven: ${(error as Error).message}`, {
              cause: error,
            }).toJSON(),
          );
          return true as T;
        }
        await this.#options.clock.sleep(Math.min(100 * 2 ** failures, 5_000));
      }
    }
  }

  #wakeAll(): void {
    for (const driver of this.#drivers.values()) driver.wake.now();
  }
}
