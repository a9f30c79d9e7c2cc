import type { CommandRow, RunRow } from '../../store/index.js';
import type { CommandType, Place } from '../command-type.js';
import type { DagCommand, JsonValue } from '../dag.js';

/** Where an attempt may go now, what it waits for, or why that is in vain. */
export type Placement =
  | { workerId: string | null; leaseEpoch: number | null }
  | { wait: string }
  /** It can never be carried out: the worker that this DAG meant for it was not launched. */
  | { never: string };

export interface AttemptSpec {
  id: string;
  run: RunRow;
  command: DagCommand;
  type: CommandType;
  number: number;
  config: JsonValue;
}

/** What the engine needs of the control plane to have commands carried out. */
export interface Dispatcher {
  /** Chooses the worker of a command. */
  place(spec: {
    run: RunRow;
    command: DagCommand;
    place: Place;
    statusOf(name: string): Pick<CommandRow, 'state' | 'output'> | undefined;
  }): Promise<Placement>;
  /** Carries out an attempt of a control-placed command. The same attempt may come again after a crash. */
  carryOut(
    spec: AttemptSpec,
    context: { signal: AbortSignal; log: (message: string) => void },
  ): Promise<unknown>;
  /** Clears away what an attempt that did not succeed has left, before the next one. */
  beforeRetry(run: RunRow, command: DagCommand): Promise<void>;
  /** Whether what a succeeded command made is still there. */
  isAlive(run: RunRow, command: DagCommand, output: unknown): Promise<boolean>;
  /** After the last command: nothing of the run stays behind. Says what it did and what it could not do. */
  finalise(run: RunRow): Promise<{ level: 'info' | 'warn'; message: string }[]>;
}
