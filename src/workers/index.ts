export { cloneIdOf } from './clone-id.js';
export type {
  ArtifactDraft,
  ArtifactRef,
  Artifacts,
  ChangeJournal,
  CloneAccess,
  CloneRegistry,
  CommandContext,
  OpenChange,
  TargetAccess,
  WorkerCommand,
} from './command.js';
export {
  commandTypes,
  type LaunchWorkerConfig,
  type LaunchWorkerOutput,
  launchExploratoryWorkerType,
  launchPrimaryWorkerType,
  workerCommands,
} from './commands/index.js';
export * from './gen/otto/worker/v1/worker_pb.js';
export { allCommands, allCommandTypes, type CommandToolkit, loadCommands } from './loading.js';
export {
  type AssignmentContext,
  fromConnectError,
  type RecordAction,
  type RecordActions,
  type ReportState,
  type StoredArtifact,
  toConnectError,
  workerProtocol,
} from './protocol.js';
export { type LaunchOrder, launchOrderText, readLaunchOrder } from './runtime/launch-order.js';
export type { WorkerOptions } from './runtime/options.js';
export { processSignals } from './runtime/process-signals.js';
export { endPredecessor } from './runtime/root-lock.js';
export { runWorker } from './runtime/run-worker.js';
