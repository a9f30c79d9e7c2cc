export {
  type CommandReference,
  type CommandType,
  CommandTypes,
  defineCommandType,
  type Place,
} from './command-type.js';
export type { Dag, DagCommand, DagParameter, JsonValue, ParameterType, RetryPolicy } from './dag.js';
