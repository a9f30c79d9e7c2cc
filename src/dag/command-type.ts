import type { z } from 'zod';

/**
 * Where a command is carried out: by the control plane itself, by the run's primary worker, or by its exploratory
 * worker.
 */
export type Place = 'control' | 'primary' | 'exploratory';

/** A config value that names another command of the DAG, such as STOP's `launch_command`. */
export interface CommandReference {
  /** Path inside the config. */
  path: string;
  command: string;
  /** The types that it may have. */
  types: readonly string[];
}

/**
 * A function of a config. Bivariant like a method, so that a list can hold types of different configs; whoever calls
 * it has validated the config with the type's own schema.
 */
type OfConfig<Config, Result> = { of(config: Config): Result }['of'];

/**
 * What a command type is, without how it is done: enough to validate a DAG, draw it, and schedule it. The doing is
 * registered by the worker (workers/) or the control plane (control/).
 */
export interface CommandType<Config = unknown, Output = unknown> {
  /** The name in a DAG, such as `CAPTURE_PRIMARY_WORKLOAD`. */
  readonly type: string;
  /** One sentence for a person. */
  readonly summary: string;
  readonly place: Place | OfConfig<Config, Place>;
  readonly config: z.ZodType<Config>;
  readonly output: z.ZodType<Output>;
  /** Limit of one attempt where the DAG gives none. */
  readonly defaultTimeoutMs: number | OfConfig<Config, number>;
  /**
   * What to do when the worker is lost under it: `retry` where a second attempt first clears away what is left of the
   * first, `fail` where it cannot know what happened.
   */
  readonly onWorkerLost: 'retry' | 'fail';
  /** What its success leaves alive until the end of the run. */
  readonly makes?: 'worker' | 'clone';
  readonly references?: OfConfig<Config, CommandReference[]>;
}

/** The command types that are known here: built in, and those of the modules named in the configuration. */
export class CommandTypes {
  readonly #types = new Map<string, CommandType>();

  constructor(types: Iterable<CommandType> = []) {
    for (const type of types) this.add(type);
  }

  add(type: CommandType): void {
    if (this.#types.has(type.type)) throw new Error(`command type ${type.type} is registered twice`);
    this.#types.set(type.type, type);
  }

  get(type: string): CommandType | undefined {
    return this.#types.get(type);
  }

  all(): CommandType[] {
    return [...this.#types.values()].sort((a, b) => a.type.localeCompare(b.type));
  }
}

/** Keeps the inferred types of `config` and `output` together while the list of all types forgets them. */
export function defineCommandType<Config, Output>(
  type: CommandType<Config, Output>,
): CommandType<Config, Output> {
  return type;
}
