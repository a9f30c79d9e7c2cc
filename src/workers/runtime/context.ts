import { type Clock, type Logger, type Progress, throttleProgress } from '../../base/index.js';
import type { CommandContext } from '../command.js';
import type { Assignment } from '../gen/otto/worker/v1/worker_pb.js';
import type { AssignmentContext } from '../protocol.js';
import type { ArtifactCache } from './artifact-cache.js';
import type { CloneKeeper } from './clone-keeper.js';
import { LogLimit } from './log-limit.js';
import type { Recorder } from './recorder.js';
import type { Outgoing } from './session.js';

export interface ContextDeps {
  workerId: () => string;
  epoch: () => bigint;
  root: string;
  allowCommand: boolean | readonly string[];
  clock: Clock;
  logger: Logger;
  send: (message: Outgoing) => void;
  artifacts: ArtifactCache;
  recorder: Recorder;
  clones: CloneKeeper;
}

const progressEveryMs = 500;

/** What a command sees: bound to its attempt, and dead once `over` fires. */
export function commandContext(
  assignment: Assignment,
  given: AssignmentContext,
  deps: ContextDeps,
  signal: AbortSignal,
  over: AbortSignal,
): CommandContext {
  const { attemptId } = assignment;
  const { artifacts, recorder, clones } = deps;
  const logs = new LogLimit(deps.clock, (level, message) => {
    deps.send({ case: 'log', value: { attemptId, level, message } });
  });
  const progress = throttleProgress(
    (value: Progress) => {
      deps.send({ case: 'progress', value: { attemptId, progressJson: JSON.stringify(value) } });
    },
    progressEveryMs,
    () => deps.clock.monotonic(),
  );
  over.addEventListener('abort', () => {
    logs.flush();
    artifacts.release(attemptId);
  });
  const durable = { attemptId, signal: over };
  // Transfers end with the command; what it puts right while it ends is still recorded.
  const transfer = AbortSignal.any([signal, over]);
  return {
    runId: assignment.runId,
    command: assignment.command,
    attempt: assignment.number,
    key: `${assignment.runId}/${assignment.command}`,
    workerId: deps.workerId(),
    root: deps.root,
    allowCommand: deps.allowCommand,
    ...(given.target !== undefined && { target: given.target }),
    clones: given.clones,
    outputs: given.outputs ?? {},
    signal,
    logger: deps.logger.child({ attempt: attemptId }),
    clock: deps.clock,
    log: (level, message) => {
      if (!over.aborted) logs.log(level, message);
    },
    progress: (value) => {
      if (!over.aborted) progress(value);
    },
    artifacts: {
      put: (file, draft) => artifacts.put({ id: attemptId, epoch: deps.epoch }, file, draft, transfer),
      get: (id) => artifacts.get(id, attemptId, transfer),
    },
    journal: {
      intend: async (changes, reason) =>
        (await recorder.record('intend_changes', { changes, reason }, durable)).changes,
      resolve: async (id, state, note) => {
        await recorder.record('resolve_change', { id, state, ...(note !== undefined && { note }) }, durable);
      },
    },
    cloneRegistry: {
      started: async (clone) => {
        over.throwIfAborted();
        await clones.started(clone);
        await recorder.record('clone_started', clone, durable);
      },
      ready: async (clone) => {
        await recorder.record('clone_ready', clone, durable);
      },
      stopped: async (id, note) => {
        await recorder.record('clone_stopped', { id, ...(note !== undefined && { note }) }, durable);
        await clones.forget(id);
      },
    },
  };
}
