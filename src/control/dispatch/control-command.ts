import type { CommandType, DagCommand } from '../../dag/index.js';
import type { RunRow } from '../../store/index.js';

/** A command that the control plane carries out itself. The same attempt may come twice: effects are keyed by it. */
export interface ControlCommand<Config = unknown, Output = unknown> {
  readonly type: CommandType<Config, Output>;
  run(
    config: Config,
    context: {
      run: RunRow;
      command: DagCommand;
      attemptId: string;
      signal: AbortSignal;
      log: (message: string) => void;
    },
  ): Promise<Output>;
}
