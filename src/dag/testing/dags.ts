import type { CommandState } from '../../store/index.js';
import type { CommandStatus, Dag, DagCommand } from '../index.js';

export const retry = { attempts: 1, backoffMs: 1_000, factor: 2, maxBackoffMs: 5_000 };

export function command(name: string, parents: string[] = [], rest: Partial<DagCommand> = {}): DagCommand {
  return { name, type: 'T', parents, config: {}, retry, when: 'all_succeeded', cleanup: false, ...rest };
}

export function dagOf(...commands: DagCommand[]): Dag {
  return { name: 'd', version: '1', parameters: [], commands };
}

export function statuses(states: Record<string, CommandState>): Map<string, CommandStatus> {
  return new Map(
    Object.entries(states).map(([name, state]) => [name, { name, state, attempt: 1, losses: 0 }]),
  );
}
