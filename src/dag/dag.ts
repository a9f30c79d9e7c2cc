/** Any JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

export type ParameterType = 'string' | 'integer' | 'number' | 'boolean' | 'duration' | 'object' | 'array';

export interface DagParameter {
  name: string;
  type: ParameterType;
  description?: string;
  /** Absent: the parameter must be given. */
  default?: JsonValue;
}

export interface RetryPolicy {
  /** Tries in all: 1 means no retry. */
  attempts: number;
  backoffMs: number;
  /** Each wait is the last times this. */
  factor: number;
  maxBackoffMs: number;
}

/** A command in its normal form. `config` still holds its `${{ … }}` bindings. */
export interface DagCommand {
  name: string;
  type: string;
  parents: string[];
  config: { [key: string]: JsonValue };
  /** Limit of one attempt; absent: the type's default. */
  timeoutMs?: number;
  retry: RetryPolicy;
  /** `all_succeeded`, `all_done`, or an expression over `commands` and `parameters`, judged once all parents ended. */
  when: string;
  /** Runs whatever happened to its parents, also when the run is cancelled. */
  cleanup: boolean;
  /** Commands with the same key, in any run, do not run at the same time. May hold parameter bindings. */
  concurrencyKey?: string;
}

/** A DAG in its normal form, whichever format it was written in. */
export interface Dag {
  name: string;
  version: string;
  description?: string;
  /** Name or id of the target; the submission may give it instead. */
  target?: string;
  /** Limit of the whole run; clean-up commands still run after it. */
  timeoutMs?: number;
  parameters: DagParameter[];
  commands: DagCommand[];
}
