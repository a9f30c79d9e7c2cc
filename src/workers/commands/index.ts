import type { CommandType } from '../../dag/index.js';
import type { AnyCollector } from '../../workload/index.js';
import type { WorkerCommand } from '../command.js';
import { capturePrimaryWorkload } from './capture-primary-workload.js';
import { collectDataFromExploratory } from './collect-data.js';
import { generateWorkload } from './generate-workload.js';
import { launchExploratoryPostgres } from './launch-exploratory-postgres.js';
import { launchExploratoryWorkerType, launchPrimaryWorkerType } from './launch-worker.js';
import { replayWorkloadCommand } from './replay-workload.js';
import { runBenchmark } from './run-benchmark.js';
import { runProgram } from './run-program.js';
import { stopExploratoryPostgres } from './stop-exploratory-postgres.js';

/** What a worker can do without plug-ins, COLLECT knowing the data collectors `loaded` as well. */
export function workerCommandsWith(loaded: readonly AnyCollector[]): WorkerCommand[] {
  return [
    capturePrimaryWorkload,
    launchExploratoryPostgres,
    stopExploratoryPostgres,
    collectDataFromExploratory(loaded),
    generateWorkload,
    runBenchmark,
    replayWorkloadCommand,
    runProgram,
  ] as WorkerCommand[];
}

/** What a worker can do without plug-ins. */
export const workerCommands: readonly WorkerCommand[] = workerCommandsWith([]);

/** The types of `commands`, and of those that the control plane carries out itself: the launching of workers. */
export function commandTypesOf(commands: readonly WorkerCommand[]): CommandType[] {
  const launches = [launchPrimaryWorkerType, launchExploratoryWorkerType] as CommandType[];
  return [...launches, ...commands.map(({ type }) => type)];
}

/** All command types that are known without plug-ins. */
export const commandTypes: readonly CommandType[] = commandTypesOf(workerCommands);

export {
  type LaunchWorkerConfig,
  type LaunchWorkerOutput,
  launchExploratoryWorkerType,
  launchPrimaryWorkerType,
} from './launch-worker.js';
