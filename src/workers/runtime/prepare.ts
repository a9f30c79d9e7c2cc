import { OttoError } from '../../base/index.js';
import type { WorkerKind } from '../../store/index.js';
import type { WorkerCommand } from '../command.js';
import type { Assignment } from '../gen/otto/worker/v1/worker_pb.js';
import type { AssignmentContext } from '../protocol.js';
import { type ContextDeps, commandContext } from './context.js';
import type { ExecutionOptions } from './execution.js';

/** From an assignment to what is needed to carry it out. The function made throws where this worker cannot. */
export function preparation(options: {
  kind: WorkerKind;
  commands: readonly WorkerCommand[];
  graceMs: number;
  deps: ContextDeps;
}): (assignment: Assignment) => ExecutionOptions {
  const commands = new Map(options.commands.map((command) => [command.type.type, command]));
  return (assignment) => {
    const command = commands.get(assignment.type);
    if (!command) {
      throw new OttoError('UNKNOWN_COMMAND_TYPE', `this worker does not know ${assignment.type}`, {
        hint: 'Start the worker with the plug-in that defines it, or with the version of the control plane.',
      });
    }
    const config: unknown = JSON.parse(assignment.configJson);
    assertPlace(command, config, options.kind);
    const given = JSON.parse(assignment.contextJson) as AssignmentContext;
    return {
      command,
      config,
      timeoutMs: Number(assignment.timeoutMs),
      graceMs: options.graceMs,
      clock: options.deps.clock,
      logger: options.deps.logger.child({ attempt: assignment.attemptId }),
      context: (signal, over) => commandContext(assignment, given, options.deps, signal, over),
    };
  };
}

/** A capture handed to the worker of the exploratory side would be carried out on the wrong host. */
function assertPlace(command: WorkerCommand, config: unknown, kind: WorkerKind): void {
  const { place, type } = command.type;
  const parsed = command.type.config.safeParse(config);
  if (!parsed.success) return;
  const where = typeof place === 'function' ? place(parsed.data) : place;
  if (where !== kind) {
    throw new OttoError('WRONG_WORKER', `${type} belongs at the ${where} side, and this worker is ${kind}`);
  }
}
