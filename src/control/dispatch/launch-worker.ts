import { join } from 'node:path';
import { type Clock, OttoError } from '../../base/index.js';
import type { Database, RunRow, WorkerKind, WorkerRow } from '../../store/index.js';
import {
  type LaunchWorkerConfig,
  type LaunchWorkerOutput,
  launchExploratoryWorkerType,
  launchPrimaryWorkerType,
} from '../../workers/index.js';
import type { LaunchPlan } from '../workers/launch-plan.js';
import type { WorkerLauncher } from '../workers/launcher.js';
import type { ControlCommand } from './control-command.js';

export interface LaunchWorkerOptions {
  db: Database;
  launcher: WorkerLauncher;
  workersDirectory: string;
  clock: Clock;
}

/** LAUNCH_PRIMARY_WORKER and LAUNCH_EXPLORATORY_WORKER: a local child, one over SSH, or one that is attached already. */
export function launchWorkerCommands(options: LaunchWorkerOptions): ControlCommand[] {
  return [
    command(options, launchPrimaryWorkerType, 'primary'),
    command(options, launchExploratoryWorkerType, 'exploratory'),
  ] as ControlCommand[];
}

function command(
  options: LaunchWorkerOptions,
  type: typeof launchPrimaryWorkerType,
  kind: WorkerKind,
): ControlCommand<LaunchWorkerConfig, LaunchWorkerOutput> {
  return {
    type,
    async run(config, context) {
      if (config.how === 'running')
        return outputOf(await findRunning(options.db, config.worker, kind, context.run), 'running');
      const worker = await options.launcher.launch({
        key: `${context.run.id}/${context.command.name}`,
        kind,
        name: config.name ?? `${context.command.name} of ${context.run.id}`,
        runId: config.keep ? null : context.run.id,
        targetId: context.run.target_id,
        plan: (workerId) => planOf(config, workerId, options.workersDirectory),
        signal: context.signal,
      });
      context.log(
        `worker ${worker.name} is attached (${worker.info.host ?? 'unknown host'}, pid ${worker.info.pid ?? '?'})`,
      );
      return outputOf(worker, config.how);
    },
  };
}

function planOf(
  config: Exclude<LaunchWorkerConfig, { how: 'running' }>,
  workerId: string,
  localRoots: string,
): LaunchPlan {
  if (config.how === 'local') return { how: 'local', root: config.root ?? join(localRoots, workerId) };
  return {
    how: 'ssh',
    host: config.host,
    port: config.port,
    ottoPath: config.otto_path,
    // One for each worker: two of one host do not share.
    root: config.root ?? join('.ottopilot', workerId),
    ...(config.user !== undefined && { user: config.user }),
    ...(config.identity_file !== undefined && { identityFile: config.identity_file }),
    ...(config.known_hosts_file !== undefined && { knownHostsFile: config.known_hosts_file }),
  };
}

async function findRunning(
  db: Database,
  idOrName: string,
  kind: WorkerKind,
  run: RunRow,
): Promise<WorkerRow> {
  const found = await db
    .selectFrom('workers')
    .selectAll()
    .where((where) => where.or([where('id', '=', idOrName), where('name', '=', idOrName)]))
    .where('kind', '=', kind)
    .where('state', '=', 'READY')
    .where((where) => where.or([where('run_id', 'is', null), where('run_id', '=', run.id)]))
    .executeTakeFirst();
  if (!found) {
    throw new OttoError('WORKER_NOT_FOUND', `no ${kind} worker "${idOrName}" is attached`, {
      hint: `Start it with: otto worker ${kind} --server URL --name ${idOrName}`,
      transient: true,
    });
  }
  return found;
}

function outputOf(worker: WorkerRow, how: LaunchWorkerOutput['how']): LaunchWorkerOutput {
  return {
    worker: worker.id,
    name: worker.name,
    how,
    ...(worker.info.host !== undefined && { host: worker.info.host }),
  };
}
