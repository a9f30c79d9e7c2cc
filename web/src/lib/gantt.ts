import type { AttemptView, CommandView } from '../api/types.js';

export interface Segment {
  kind: 'waiting' | 'running';
  /** ms since the epoch. */
  from: number;
  to: number;
  /** For a running segment: which attempt, and how it ended. */
  attempt?: number;
  state?: string;
}

type Timed = Pick<CommandView, 'readyAt' | 'startedAt' | 'endedAt' | 'state' | 'attempt'> & {
  attempts: readonly AttemptView[];
};

/** When a command waited and when it ran, attempt by attempt, until `now` where it has not ended. */
export function segmentsOf(command: Timed, now: number): Segment[] {
  const segments: Segment[] = [];
  const end = command.endedAt ? Date.parse(command.endedAt) : now;
  let at = command.readyAt ? Date.parse(command.readyAt) : undefined;
  const wait = (to: number) => {
    if (at !== undefined && to > at) segments.push({ kind: 'waiting', from: at, to });
  };
  const ran = command.attempts
    .filter((attempt) => attempt.startedAt !== undefined)
    .sort((a, b) => a.number - b.number);
  for (const attempt of ran) {
    const from = Date.parse(attempt.startedAt!);
    wait(from);
    const to = Math.max(from, attempt.endedAt ? Date.parse(attempt.endedAt) : end);
    segments.push({ kind: 'running', from, to, attempt: attempt.number, state: attempt.state });
    at = to;
  }
  if (ran.length === 0 && command.startedAt) {
    const from = Date.parse(command.startedAt);
    wait(from);
    segments.push({
      kind: 'running',
      from,
      to: Math.max(from, end),
      attempt: command.attempt,
      state: command.state,
    });
    at = Math.max(from, end);
  }
  if (!command.endedAt && command.state !== 'RUNNING' && at !== undefined) wait(now);
  return segments;
}

/** Round steps of time for an axis of about `count` ticks over `ms`. */
export function timeTicks(ms: number, count: number): number[] {
  const steps = [
    10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3,
    3600e3, 7200e3, 14400e3, 28800e3, 86400e3,
  ];
  const step = steps.find((one) => ms / one <= count) ?? Math.ceil(ms / count / 86400e3) * 86400e3;
  return Array.from({ length: Math.floor(ms / step) + 1 }, (_, i) => i * step);
}
