import type { ErrorJson } from '../base/index.js';
import type { CommandState, RunState } from '../store/index.js';
import type { Dag, DagCommand } from './dag.js';
import { graphOf, topologicalOrder } from './graph.js';

/** Where a command of a run stands. */
export interface CommandStatus {
  name: string;
  state: CommandState;
  /** Attempts begun, lost ones included. */
  attempt: number;
  /** Of these, how many ended because the worker was lost. */
  losses: number;
  /** Not to be started before this time (ms since the epoch). */
  notBeforeMs?: number;
}

export interface RunStatus {
  cancelRequested: boolean;
  /** The run's own limit has passed. */
  timedOut: boolean;
}

export interface Moves {
  /** PENDING → READY. */
  ready: string[];
  /** PENDING commands whose `when` is an expression that is now to be judged: true → READY, false → SKIPPED. */
  judge: string[];
  /** PENDING → SKIPPED. */
  skip: { name: string; reason: string }[];
  /** PENDING or READY → CANCELLED. */
  cancelWaiting: string[];
  /** RUNNING, to be asked to stop. */
  cancelRunning: string[];
  /** The run has ended, once `skip` and `cancelWaiting` are carried out. */
  done?: { state: RunState; error?: ErrorJson };
}

/** A DAG with its edges both ways and an order, made once for a run. */
export interface PreparedDag {
  dag: Dag;
  /** By index in `dag.commands`. */
  parents: readonly (readonly number[])[];
  children: readonly (readonly number[])[];
  /** Parents before children. */
  order: readonly number[];
}

/** Losses of the worker that cost a command no attempt. */
export const freeLosses = 3;

export function prepareDag(dag: Dag): PreparedDag {
  const index = new Map(dag.commands.map((command, node) => [command.name, node]));
  const graph = graphOf(dag.commands.map(({ parents }) => parents.map((name) => index.get(name)!)));
  return { dag, ...graph, order: topologicalOrder(graph) };
}

export function isTerminal(state: CommandState): boolean {
  return state !== 'PENDING' && state !== 'READY' && state !== 'RUNNING';
}

/**
 * What follows from the states of a run's commands. Pure and stateless: the same states give the same moves, so a
 * driver that dies between moves loses nothing. One pass over commands and edges; what a skip or a cancel lets happen
 * further down is in the same answer.
 */
export function nextMoves(
  prepared: PreparedDag,
  commands: ReadonlyMap<string, CommandStatus>,
  run: RunStatus,
): Moves {
  const { dag, parents, order } = prepared;
  const stopping = run.cancelRequested || run.timedOut;
  const states = dag.commands.map(({ name }) => commands.get(name)?.state ?? 'PENDING');
  const moves: Moves = { ready: [], judge: [], skip: [], cancelWaiting: [], cancelRunning: [] };
  /** It and all its ancestors have ended. A cancel ends what waits below a command that is still running. */
  const settled = new Array<boolean>(states.length).fill(false);
  for (const node of order) {
    const command = dag.commands[node]!;
    const state = states[node]!;
    const above = parents[node]!.every((parent) => settled[parent]);
    settled[node] = above && isTerminal(state);
    if (isTerminal(state)) continue;
    if (stopping && !command.cleanup) {
      if (state === 'RUNNING') moves.cancelRunning.push(command.name);
      else {
        moves.cancelWaiting.push(command.name);
        states[node] = 'CANCELLED';
        settled[node] = above;
      }
    } else if (state === 'PENDING' && above) {
      const failed = parents[node]!.filter((parent) => states[parent] !== 'SUCCEEDED');
      if (
        command.cleanup ||
        command.when === 'all_done' ||
        (command.when === 'all_succeeded' && failed.length === 0)
      ) {
        moves.ready.push(command.name);
      } else if (command.when !== 'all_succeeded') {
        moves.judge.push(command.name);
      } else {
        moves.skip.push({ name: command.name, reason: skipReason(dag, states, failed) });
        states[node] = 'SKIPPED';
        settled[node] = true;
      }
    }
  }
  if (states.every(isTerminal)) moves.done = endOf(dag, states, run);
  return moves;
}

/** How an attempt ended. */
export type AttemptOutcome = 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'CANCELLED' | 'LOST';

/**
 * Where a command stands after an attempt. `status` is as it was during the attempt; `losses` of the answer goes into
 * it. READY means another attempt, not before `retryAtMs` (absent: at once).
 */
export function afterAttempt(
  command: DagCommand,
  status: Pick<CommandStatus, 'attempt' | 'losses'>,
  outcome: AttemptOutcome,
  onWorkerLost: 'retry' | 'fail',
  nowMs: number,
): { state: CommandState; losses: number; retryAtMs?: number } {
  const { losses } = status;
  if (outcome === 'SUCCEEDED' || outcome === 'CANCELLED') return { state: outcome, losses };
  if (outcome === 'LOST') {
    const again = onWorkerLost === 'retry' && losses < freeLosses;
    return { state: again ? 'READY' : 'FAILED', losses: losses + 1 };
  }
  const tries = status.attempt - losses;
  const { attempts, backoffMs, factor, maxBackoffMs } = command.retry;
  if (tries >= attempts) return { state: outcome, losses };
  const waitMs = Math.min(maxBackoffMs, backoffMs * factor ** Math.max(0, tries - 1));
  return { state: 'READY', losses, retryAtMs: nowMs + Math.round(waitMs) };
}

function skipReason(dag: Dag, states: readonly CommandState[], failed: readonly number[]): string {
  const [first, ...more] = failed;
  const { name } = dag.commands[first!]!;
  const rest =
    more.length === 0
      ? ''
      : more.length === 1
        ? ', and one more parent did not succeed'
        : `, and ${more.length} more parents did not succeed`;
  return `its parent ${name} ${pastTense(states[first!]!)}${rest}`;
}

function pastTense(state: CommandState): string {
  switch (state) {
    case 'SKIPPED':
      return 'was skipped';
    case 'CANCELLED':
      return 'was cancelled';
    case 'TIMED_OUT':
      return 'ran out of time';
    default:
      return state.toLowerCase();
  }
}

function endOf(
  dag: Dag,
  states: readonly CommandState[],
  run: RunStatus,
): { state: RunState; error?: ErrorJson } {
  const named = (cleanup: boolean, wanted: readonly CommandState[]) =>
    dag.commands.filter((command, node) => command.cleanup === cleanup && wanted.includes(states[node]!));
  const cancelled = named(false, ['CANCELLED']);
  const failed = named(false, ['FAILED', 'TIMED_OUT']);
  const uncleaned = named(true, ['FAILED', 'TIMED_OUT', 'CANCELLED']);
  const says = [
    list(failed, 'command failed', 'commands failed'),
    list(uncleaned, 'clean-up command failed', 'clean-up commands failed'),
  ].filter((text) => text !== '');
  if (cancelled.length > 0 && run.cancelRequested) {
    return { state: 'CANCELLED', ...(says.length > 0 && { error: failure(failed, says) }) };
  }
  const outOfTime = named(false, ['TIMED_OUT']);
  if (run.timedOut && cancelled.length + outOfTime.length > 0) {
    const message = ['the run took longer than its timeout', ...says].join('; ');
    return { state: 'TIMED_OUT', error: { code: 'RUN_TIMED_OUT', message } };
  }
  // Cancelled though nobody cancelled the run: what it was to do is not done.
  if (cancelled.length > 0) says.push(list(cancelled, 'command was cancelled', 'commands were cancelled'));
  return says.length > 0
    ? { state: 'FAILED', error: failure([...failed, ...cancelled], says) }
    : { state: 'SUCCEEDED' };
}

function failure(failed: readonly DagCommand[], says: readonly string[]): ErrorJson {
  return { code: failed.length > 0 ? 'COMMAND_FAILED' : 'CLEANUP_FAILED', message: says.join('; ') };
}

function list(commands: readonly DagCommand[], one: string, many: string): string {
  const names = commands.slice(0, 5).map(({ name }) => name);
  if (commands.length === 0) return '';
  const more = commands.length > names.length ? ` and ${commands.length - names.length} more` : '';
  return `${commands.length} ${commands.length === 1 ? one : many}: ${names.join(', ')}${more}`;
}
