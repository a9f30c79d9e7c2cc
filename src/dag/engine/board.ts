import type { Clock } from '../../base/index.js';
import type { CommandRow, CommandState, RunRow } from '../../store/index.js';
import type { Dag, DagCommand, JsonValue } from '../dag.js';
import type { CommandOutcome, ExpressionScope } from '../expressions.js';
import { isTerminal } from '../plan.js';
import type { RoundChanges } from './run-rows.js';

/** Where the commands of a run stand, in memory: moved here first, and written with the round's other changes. */
export class Board {
  readonly #runId: string;
  readonly #clock: Clock;
  readonly #specs: Map<string, DagCommand>;
  #commands = new Map<string, CommandRow>();
  #outcomes: Record<string, CommandOutcome> | undefined;

  constructor(runId: string, dag: Dag, clock: Clock) {
    this.#runId = runId;
    this.#clock = clock;
    this.#specs = new Map(dag.commands.map((command) => [command.name, command]));
  }

  /** Takes over what the rows say, forgetting moves that were not written. */
  load(rows: readonly CommandRow[]): void {
    this.#commands = new Map(rows.map((command) => [command.name, command]));
    this.#outcomes = undefined;
  }

  get commands(): ReadonlyMap<string, CommandRow> {
    return this.#commands;
  }

  get(name: string): CommandRow {
    return this.#commands.get(name)!;
  }

  spec(name: string): DagCommand {
    return this.#specs.get(name)!;
  }

  /** Moves a command to a state. */
  move(changes: RoundChanges, name: string, state: CommandState, patch: Partial<CommandRow> = {}): void {
    const before = this.get(name);
    const now = new Date(this.#clock.now());
    const after: CommandRow = { ...before, ...patch, state };
    if (state === 'READY' && before.state === 'PENDING') after.ready_at = now;
    if (isTerminal(state)) {
      after.ended_at = now;
      this.#outcomes = undefined;
      if (this.spec(name).concurrencyKey !== undefined) changes.releaseLocks.push(name);
    }
    this.#commands.set(name, after);
    changes.commands.set(name, after);
    changes.events.push(stateEvent(after));
  }

  /** Notes why a READY command waits; said once. */
  waits(changes: RoundChanges, name: string, reason: string): void {
    const command = this.get(name);
    if (command.reason === reason) return;
    const after = { ...command, reason };
    this.#commands.set(name, after);
    changes.commands.set(name, after);
    changes.events.push({ kind: 'command', command: name, message: reason, data: { state: 'READY' } });
  }

  /** Its pause is over: from here on it waits for a worker or a key, if for anything. */
  pauseOver(name: string): void {
    this.#commands.set(name, { ...this.get(name), not_before: null });
  }

  /** Rebuilt only where something ended: a DAG of a thousand commands starts each of them once. */
  scope(run: RunRow): ExpressionScope {
    this.#outcomes ??= Object.fromEntries(
      [...this.#commands.values()].map((command) => [
        command.name,
        { state: command.state, output: command.output as JsonValue, error: command.error },
      ]),
    );
    const parameters = run.parameters as Record<string, JsonValue>;
    return { parameters, commands: this.#outcomes, run: { id: run.id, name: run.name } };
  }

  /** The current attempts of the commands that run. */
  runningIds(): string[] {
    const running = [...this.#commands.values()].filter((command) => command.state === 'RUNNING');
    return running.map((command) => this.attemptId(command.name, command.attempt));
  }

  attemptId(command: string, number: number): string {
    return `${this.#runId}/${command}/${number}`;
  }
}

function stateEvent(command: CommandRow): RoundChanges['events'][number] {
  const words = command.reason ?? command.error?.message;
  const attempt = command.attempt > 1 && command.state === 'RUNNING' ? ` (attempt ${command.attempt})` : '';
  return {
    kind: 'command',
    command: command.name,
    level: command.state === 'FAILED' || command.state === 'TIMED_OUT' ? 'error' : 'info',
    message: `${command.state}${attempt}${words ? `: ${words}` : ''}`,
    data: { state: command.state, attempt: command.attempt },
  };
}
