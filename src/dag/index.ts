export {
  type CommandReference,
  type CommandType,
  CommandTypes,
  defineCommandType,
  type Place,
} from './command-type.js';
export type { Dag, DagCommand, DagParameter, JsonValue, ParameterType, RetryPolicy } from './dag.js';
export type { AttemptSpec, Dispatcher, Placement } from './engine/dispatcher.js';
export { DagEngine } from './engine/engine.js';
export { isOutage } from './engine/outage.js';
export { reportAttempt } from './engine/report-attempt.js';
export { insertEvents, type NewEvent } from './engine/run-rows.js';
export {
  type CommandOutcome,
  type ExpressionScope,
  evaluateWhen,
  resolveConfig,
  resolveText,
} from './expressions.js';
export type { DagIssue } from './findings.js';
export {
  type AttemptOutcome,
  afterAttempt,
  type CommandStatus,
  freeLosses,
  isTerminal,
  type Moves,
  nextMoves,
  type PreparedDag,
  prepareDag,
  type RunStatus,
} from './plan.js';
export { type Reference, referencesOf } from './references.js';
export { resetForResume } from './resume.js';
export { type ValidateOptions, type Validation, validateDag } from './validate.js';
