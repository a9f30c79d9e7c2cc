import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProgressSink } from '../../../base/index.js';
import type { BenchmarkReport } from '../benchmark.js';
import { arrivalTimes } from './arrivals.js';
import { isConnectionLoss, isRetryable, sqlErrorCode } from './failures.js';
import type { Session, Sessions } from './sessions.js';
import { Tally } from './tally.js';
import { warningsOf } from './warnings.js';

/** One transaction with its inputs drawn: carrying it out twice tries the same thing twice. */
export interface Work {
  type: string;
  run(session: Session): Promise<'committed' | 'rolled back'>;
}

export interface DriveOptions {
  sessions: Sessions;
  types: readonly string[];
  connections: number;
  seconds: number;
  rate?: number;
  arrivals: 'poisson' | 'constant';
  seed: number;
  /** Draws the n-th transaction of the run, to be carried out by the connection of that index. */
  work(n: number, connection: number): Work;
  signal?: AbortSignal;
  progress?: ProgressSink;
}

export type Driven = Omit<BenchmarkReport, 'benchmark' | 'scale'>;

const lagResolutionMs = 10;
const maxTries = 20;
const reconnectEveryMs = 250;

/**
 * Carries out transactions for `seconds` on `connections` connections.
 *
 * Open loop: the starts are fixed beforehand by the arrival process. Whichever connection is free takes the next one
 * in order and waits for its time; when all are busy, arrivals queue, and their wait counts as latency. So a stall of
 * the server is seen by every transaction that it delayed, not only by those under way (no coordinated omission).
 */
export async function drive(options: DriveOptions): Promise<Driven> {
  const { connections, seconds, rate, sessions, signal } = options;
  const opened = await openAll(options);

  const windowMs = seconds * 1000;
  const tally = new Tally(options.types, windowMs);
  const lag = monitorEventLoopDelay({ resolution: lagResolutionMs });
  lag.enable();
  const utilization = performance.eventLoopUtilization();
  const startedAt = performance.now();
  const now = () => performance.now() - startedAt;

  const due = rate === undefined ? undefined : arrivalTimes(rate, options.arrivals, options.seed);
  let taken = 0;
  /** The next transaction and when it is meant to start; undefined when time is over. */
  const take = (): { n: number; dueMs: number } | undefined => {
    const dueMs = due ? due.next().value : now();
    if (now() >= windowMs || dueMs >= windowMs) {
      // Open loop: the arrival in hand, and those behind it, belong to the window but were never started.
      if (due && dueMs < windowMs) leaveUnserved(dueMs);
      return undefined;
    }
    return { n: taken++, dueMs };
  };
  let backlogCounted = false;
  const leaveUnserved = (first: number): void => {
    tally.leftUnserved(windowMs - first);
    if (backlogCounted) return;
    backlogCounted = true;
    for (let at = due!.next().value; at < windowMs; at = due!.next().value) tally.leftUnserved(windowMs - at);
  };

  const connectionLoop = async (index: number): Promise<void> => {
    let session: Session | undefined = opened[index];
    for (let next = take(); next && !signal?.aborted; next = take()) {
      if (due) await sleepUntil(next.dueMs, now, signal);
      session ??= await reopen(options, tally, index, () => now() < windowMs);
      if (!session) {
        if (due) tally.leftUnserved(windowMs - next.dueMs);
        continue;
      }
      const start = now();
      if (due) tally.startDelays.record(start - next.dueMs);
      // A timer may fire a fraction of a millisecond early: then the actual start is the earlier one.
      const from = due ? Math.min(next.dueMs, start) : start;
      const kept = await carryOut(
        session,
        options.work(next.n, index),
        tally,
        () => now() - from,
        now,
        signal,
      );
      if (!kept) {
        session = undefined;
        await sessions.discard(index);
      }
    }
  };

  const ticker = setInterval(() => {
    const done = Math.min(Math.round(now() / 1000), seconds);
    options.progress?.({
      phase: 'running',
      done,
      total: seconds,
      unit: 'seconds',
      message: `${tally.completedCount} transactions`,
    });
  }, 1000);
  // Ends statements that are waiting, for instance for a lock, instead of waiting for their time limit.
  const onAbort = () => {
    sessions.cancel().catch(() => {});
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.all(Array.from({ length: connections }, (_, index) => connectionLoop(index)));
  } finally {
    clearInterval(ticker);
    lag.disable();
    signal?.removeEventListener('abort', onAbort);
    await sessions.close();
  }
  signal?.throwIfAborted();

  tally.close(now());
  const driven: Omit<Driven, 'warnings'> = {
    seconds,
    connections,
    mode: due ? 'open' : 'closed',
    ...(rate !== undefined && { offeredRate: rate }),
    throughput: tally.completedInTime / seconds,
    ...tally.report(),
    client: {
      cpuShare: performance.eventLoopUtilization(utilization).utilization,
      // What is measured is the time between two ticks.
      eventLoopLagP99Ms: Math.max(0, lag.percentile(99) / 1e6 - lagResolutionMs),
      ...(due && {
        startDelayMs: {
          p50: tally.startDelays.percentile(50),
          p99: tally.startDelays.percentile(99),
          max: tally.startDelays.summary().max,
        },
      }),
    },
  };
  return { ...driven, warnings: warningsOf(driven) };
}

/** All connections, or none: what was opened is closed again when one fails. */
async function openAll({ sessions, connections, signal }: DriveOptions): Promise<Session[]> {
  try {
    const opened: Session[] = [];
    for (let index = 0; index < connections; index++) {
      signal?.throwIfAborted();
      opened.push(await sessions.open(index, signal));
    }
    return opened;
  } catch (error) {
    await sessions.close();
    throw error;
  }
}

/** Tries until there is a connection again, or time is over. Each failed try is counted as an error. */
async function reopen(
  { sessions, signal }: DriveOptions,
  tally: Tally,
  index: number,
  timeLeft: () => boolean,
): Promise<Session | undefined> {
  while (timeLeft() && !signal?.aborted) {
    try {
      return await sessions.open(index, signal);
    } catch (error) {
      tally.failed(undefined, sqlErrorCode(error), messageOf(error));
      await delay(reconnectEveryMs);
    }
  }
  return undefined;
}

/** False when the connection is lost. */
async function carryOut(
  session: Session,
  work: Work,
  tally: Tally,
  latencyMs: () => number,
  now: () => number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      const outcome = await work.run(session);
      tally.completed(work.type, latencyMs(), now(), outcome === 'rolled back');
      return true;
    } catch (error) {
      if (isConnectionLoss(error)) {
        tally.failed(work.type, sqlErrorCode(error), messageOf(error));
        return false;
      }
      try {
        await session.rollback();
      } catch (second) {
        tally.failed(work.type, sqlErrorCode(second), messageOf(second));
        return false;
      }
      if (!isRetryable(error) || tries >= maxTries || signal?.aborted) {
        tally.failed(work.type, sqlErrorCode(error), messageOf(error));
        return true;
      }
      tally.retried(work.type);
      // The loser of a conflict that comes straight back is likely to lose again.
      if (tries > 1) await delay(Math.min(tries, 10));
    }
  }
}

async function sleepUntil(dueMs: number, now: () => number, signal: AbortSignal | undefined): Promise<void> {
  const waitMs = Math.round(dueMs - now());
  if (waitMs <= 0) return;
  await delay(waitMs, undefined, signal ? { signal } : undefined).catch(() => {
    // Only an abort ends the wait early; the loop sees the signal.
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
