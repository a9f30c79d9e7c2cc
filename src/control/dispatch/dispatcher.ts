import type { Logger } from '../../base/index.js';
import type { AttemptSpec, Dag, DagCommand, Dispatcher, Place, Placement } from '../../dag/index.js';
import type { CommandRow, Database, RunRow, WorkerRow } from '../../store/index.js';
import type { WorkerLauncher } from '../workers/launcher.js';
import type { ControlCommand } from './control-command.js';
import type { RunCleaner } from './run-cleaner.js';

export interface CommandDispatcherOptions {
  db: Database;
  launcher: WorkerLauncher;
  cleaner: RunCleaner;
  controlCommands: readonly ControlCommand[];
  logger: Logger;
}

/** Finds the worker of a command and carries out what the control plane does itself. */
export class CommandDispatcher implements Dispatcher {
  readonly #options: CommandDispatcherOptions;
  readonly #controlCommands: Map<string, ControlCommand>;
  /** Workers that are being started again. */
  readonly #reviving = new Map<string, Promise<unknown>>();

  constructor(options: CommandDispatcherOptions) {
    this.#options = options;
    this.#controlCommands = new Map(options.controlCommands.map((command) => [command.type.type, command]));
  }

  async place(spec: {
    run: RunRow;
    command: DagCommand;
    place: Place;
    statusOf(name: string): Pick<CommandRow, 'state' | 'output'> | undefined;
  }): Promise<Placement> {
    const kind = spec.place as 'primary' | 'exploratory';
    const launcher = nearestLauncher(
      spec.run,
      spec.command,
      kind,
      (name) => spec.statusOf(name)?.state === 'SUCCEEDED',
    );
    if (launcher && !launcher.succeeded)
      return { never: `${launcher.name} did not launch its ${kind} worker` };
    const launched =
      launcher && (spec.statusOf(launcher.name)?.output as { worker: string } | undefined)?.worker;
    const worker = launched ? await this.#worker(launched) : await this.#anyWorker(spec.run, kind);
    if (!worker) return { wait: `no ${kind} worker is attached` };
    if (worker.state === 'READY') return { workerId: worker.id, leaseEpoch: worker.lease_epoch };
    if (worker.state === 'DRAINING') return { wait: `worker ${worker.name} drains` };
    if (worker.how === 'manual') {
      return { wait: `worker ${worker.name} is ${worker.state}; it was started by hand and must be again` };
    }
    this.#revive(worker);
    return { wait: `worker ${worker.name} is ${worker.state}; it is started again` };
  }

  async carryOut(
    spec: AttemptSpec,
    context: { signal: AbortSignal; log: (message: string) => void },
  ): Promise<unknown> {
    const command = this.#controlCommands.get(spec.type.type);
    if (!command) throw new Error(`${spec.type.type} has no implementation in the control plane`);
    return await command.run(spec.config, {
      run: spec.run,
      command: spec.command,
      attemptId: spec.id,
      ...context,
    });
  }

  async beforeRetry(run: RunRow, command: DagCommand): Promise<void> {
    await this.#options.cleaner.restoreChangesOf(run.id, command.name);
    await this.#options.cleaner.discardArtifactsOf(run.id, command.name);
  }

  async isAlive(run: RunRow, command: DagCommand): Promise<boolean> {
    const worker = await this.#options.db
      .selectFrom('workers')
      .select('state')
      .where('launch_key', '=', `${run.id}/${command.name}`)
      .executeTakeFirst();
    if (worker) return worker.state === 'READY';
    const clone = await this.#options.db
      .selectFrom('clones')
      .select('state')
      .where('run_id', '=', run.id)
      .where('command', '=', command.name)
      .where('state', '=', 'READY')
      .executeTakeFirst();
    return clone !== undefined;
  }

  async finalise(run: RunRow): Promise<{ level: 'info' | 'warn'; message: string }[]> {
    return await this.#options.cleaner.clean(run);
  }

  async #worker(id: string): Promise<WorkerRow | undefined> {
    return await this.#options.db.selectFrom('workers').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** A worker that belongs to no run: for this target before for any, the least loaded first. */
  async #anyWorker(run: RunRow, kind: 'primary' | 'exploratory'): Promise<WorkerRow | undefined> {
    const { db } = this.#options;
    return await db
      .selectFrom('workers')
      .selectAll('workers')
      .where('kind', '=', kind)
      .where('state', '=', 'READY')
      .where((where) => where.or([where('run_id', 'is', null), where('run_id', '=', run.id)]))
      .where((where) => where.or([where('target_id', 'is', null), where('target_id', '=', run.target_id)]))
      .orderBy((order) => order.fn.coalesce('target_id', order.val('')), 'desc')
      .orderBy((order) =>
        order
          .selectFrom('attempts')
          .select((select) => select.fn.countAll().as('n'))
          .whereRef('attempts.worker_id', '=', 'workers.id')
          .where('attempts.state', 'in', ['ASSIGNED', 'RUNNING']),
      )
      .executeTakeFirst();
  }

  #revive(worker: WorkerRow): void {
    if (this.#reviving.has(worker.id)) return;
    const work = this.#options.launcher
      .ensure(worker.id, AbortSignal.timeout(90_000))
      .catch((error: unknown) =>
        this.#options.logger.warn(
          { err: error, worker: worker.id },
          'a lost worker could not be started again',
        ),
      )
      .finally(() => this.#reviving.delete(worker.id));
    this.#reviving.set(worker.id, work);
  }
}

/**
 * The nearest ancestor that launches workers of this kind; of several at the same distance one that succeeded.
 * Undefined where the DAG launches none: then any attached worker may do.
 */
function nearestLauncher(
  run: RunRow,
  command: DagCommand,
  kind: 'primary' | 'exploratory',
  succeeded: (name: string) => boolean,
): { name: string; succeeded: boolean } | undefined {
  const dag = run.dag as Dag;
  const byName = new Map(dag.commands.map((each) => [each.name, each]));
  const type = kind === 'primary' ? 'LAUNCH_PRIMARY_WORKER' : 'LAUNCH_EXPLORATORY_WORKER';
  const seen = new Set<string>();
  let failed: string | undefined;
  let level = command.parents;
  while (level.length > 0) {
    const next: string[] = [];
    for (const name of level) {
      const parent = byName.get(name);
      if (!parent || seen.has(name)) continue;
      seen.add(name);
      if (parent.type === type) {
        if (succeeded(name)) return { name, succeeded: true };
        failed ??= name;
      }
      next.push(...parent.parents);
    }
    level = next;
  }
  return failed === undefined ? undefined : { name: failed, succeeded: false };
}
