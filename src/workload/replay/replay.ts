import {
  type Clock,
  exists,
  InputError,
  OttoError,
  silentLogger,
  systemClock,
  throttleProgress,
} from '../../base/index.js';
import { CloneServer } from './clone-server.js';
import { type CapturedSession, CaptureReader } from './events.js';
import { assignPlaces, mostOverlapping } from './places.js';
import { type SessionEnd, SessionPlayer } from './session-player.js';
import { SessionQueue } from './session-queue.js';
import { percentiles, Tally } from './tally.js';
import type { ReplayOptions, ReplayReport } from './types.js';

/** Events read ahead of the statements that run. */
const readAhead = 20_000;
/** Lateness above this, or a busier player, is worth a warning. */
const lateMs = 10;
const busyPlayer = 0.9;

/**
 * Runs a capture again on a clone: the same sessions, the same order within each, the same transactions, each
 * statement at its captured time (open loop: a session that is late runs on at once). Statements may fail; what came
 * out differently is reported.
 * @throws InputError PRODUCTION_REFUSED, TOO_MANY_SESSIONS, NO_SUCH_FILE; OttoError CANCELLED, TIMED_OUT, those of
 * `connect`.
 */
export async function replayWorkload(options: ReplayOptions): Promise<ReplayReport> {
  await checkOptions(options);
  const { url, signal } = options;
  return CaptureReader.use(options.file, async (reader) => {
    const all = await reader.sessions(signal);
    const clone = await CloneServer.open(url, all, signal);
    try {
      return await new Replay(options, reader, clone, all).run();
    } finally {
      await clone.close();
    }
  });
}

async function checkOptions({ production, speed, file, maxConnections = 1 }: ReplayOptions): Promise<void> {
  if (production) {
    throw new InputError('a workload is never replayed on a server that is marked production', {
      code: 'PRODUCTION_REFUSED',
      hint: 'Launch a clone and replay on that.',
    });
  }
  if (speed !== 'max' && !(Number.isFinite(speed) && speed > 0)) {
    throw new InputError(`speed ${speed} cannot be replayed`, { hint: 'Give a number above 0, or "max".' });
  }
  if (!(Number.isInteger(maxConnections) && maxConnections > 0)) {
    throw new InputError(`${maxConnections} connections are not enough`, {
      hint: 'Give a whole number above 0.',
    });
  }
  if (!(await exists(file))) {
    throw new InputError(`there is no capture at ${file}`, { code: 'NO_SUCH_FILE', where: file });
  }
}

class Replay {
  readonly #options: ReplayOptions;
  readonly #clock: Clock;
  readonly #reader: CaptureReader;
  readonly #clone: CloneServer;
  readonly #sessions: CapturedSession[];
  readonly #total: number;
  readonly #tally = new Tally();
  #done = 0;
  #wakeReader: (() => void) | undefined;

  constructor(options: ReplayOptions, reader: CaptureReader, clone: CloneServer, all: CapturedSession[]) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#reader = reader;
    this.#clone = clone;
    this.#sessions = all.filter(({ database }) => !clone.missingDatabases.has(database));
    this.#total = this.#sessions.reduce((sum, { events }) => sum + events, 0);
    for (const { database, events } of all) {
      if (clone.missingDatabases.has(database)) {
        this.#tally.skip(`statements in database ${database}, which the clone does not have`, events);
      }
    }
  }

  async run(): Promise<ReplayReport> {
    const connections = Math.min(this.#options.maxConnections ?? 100, Math.max(1, this.#sessions.length));
    const places = assignPlaces(this.#sessions, connections);
    const overlap = mostOverlapping(this.#sessions);
    this.#clone.requireConnections(overlap);
    const stop = new AbortController();
    const limit = setTimeout(() => stop.abort(this.#timedOut()), this.#timeLimitMs());
    const cancel = () => stop.abort(this.#options.signal?.reason);
    this.#options.signal?.addEventListener('abort', cancel, { once: true });
    if (this.#options.signal?.aborted) cancel();
    // Statements under way are cut short at the server; the sessions then see the signal.
    stop.signal.addEventListener('abort', () => void this.#clone.cancelAll().catch(() => {}), { once: true });
    try {
      const startedMs = this.#clock.monotonic();
      const loop = performance.eventLoopUtilization();
      const ends = await this.#play(places, stop);
      const { utilization } = performance.eventLoopUtilization(loop);
      return this.#report(ends, overlap, (this.#clock.monotonic() - startedMs) / 1000, utilization);
    } catch (error) {
      if (this.#options.signal?.aborted)
        throw new OttoError('CANCELLED', 'the replay was cancelled', { cause: error });
      throw error;
    } finally {
      clearTimeout(limit);
      this.#options.signal?.removeEventListener('abort', cancel);
    }
  }

  /** Reader and sessions run side by side; the first that fails stops them all, and all are waited for. */
  async #play(places: Map<string, number>, stop: AbortController): Promise<SessionEnd[]> {
    const queues = new Map(this.#sessions.map(({ session }) => [session, new SessionQueue()]));
    const progress = throttleProgress(this.#options.progress ?? (() => {}));
    // Time to read the first events and to open the first connections.
    const opensAtOnce = this.#sessions.filter(({ firstUs }) => firstUs < 1_000_000).length;
    const startMs = this.#clock.monotonic() + Math.min(10_000, 250 + 20 * opensAtOnce);
    const { speed } = this.#options;
    const context = {
      tally: this.#tally,
      clock: this.#clock,
      signal: stop.signal,
      unpaced: speed === 'max',
      statementLimitMs: this.#options.statementLimitMs ?? 60_000,
      dueMs: (dueUs: number) => (speed === 'max' ? startMs : startMs + dueUs / 1000 / speed),
      connect: (session: CapturedSession) => this.#clone.connect(session, stop.signal),
      cancel: (processId: number) => this.#clone.cancel(processId).catch(() => {}),
      onDone: () => {
        this.#done++;
        this.#wakeReader?.();
        progress({ phase: 'replaying', done: this.#done, total: this.#total, unit: 'statements' });
      },
    };
    const lastOfPlace = new Map<number, Promise<unknown>>();
    const playing = this.#sessions.map((session) => {
      const place = places.get(session.session)!;
      const before = lastOfPlace.get(place) ?? Promise.resolve();
      const player = new SessionPlayer(session, queues.get(session.session)!, context);
      const played = before.then(() => player.play());
      lastOfPlace.set(place, played);
      return played;
    });
    const reading = this.#read(queues, stop.signal);
    const all = [reading, ...playing];
    for (const one of all) one.catch((error) => stop.abort(error));
    await Promise.allSettled(all);
    if (stop.signal.aborted) throw stop.signal.reason;
    await reading;
    return Promise.all(playing);
  }

  async #read(queues: Map<string, SessionQueue>, signal: AbortSignal): Promise<void> {
    let read = 0;
    for await (const batch of this.#reader.events(signal)) {
      for (const event of batch) queues.get(event.session)?.push(event);
      read += batch.length;
      // Not for ever: sessions that wait for one another's locks may need what has not been read.
      while (read - this.#done > readAhead && (await this.#someDone(signal)));
    }
  }

  /** True when a statement ended, false when none did for a second. */
  async #someDone(signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const waited = new AbortController();
    const done = new Promise<boolean>((resolve) => {
      this.#wakeReader = () => resolve(true);
    });
    const quiet = this.#clock.sleep(1_000, AbortSignal.any([waited.signal, signal])).then(
      () => false,
      () => true,
    );
    const result = await Promise.race([done, quiet]);
    waited.abort();
    return result;
  }

  #timeLimitMs(): number {
    const { timeLimitMs, speed } = this.#options;
    if (timeLimitMs !== undefined) return timeLimitMs;
    const lengthMs = Math.max(0, ...this.#sessions.map(({ lastUs }) => lastUs)) / 1000;
    // setTimeout's own limit is 2^31 ms.
    return Math.min(2 ** 31 - 1, 60_000 + (3 * lengthMs) / (speed === 'max' ? 1 : Math.min(speed, 1e6)));
  }

  #timedOut(): OttoError {
    return new OttoError(
      'TIMED_OUT',
      `the replay did not end within ${Math.round(this.#timeLimitMs() / 1000)} s`,
      {
        hint: `${this.#done} of ${this.#total} statements had run. Give it more time, a higher speed, or a faster clone.`,
      },
    );
  }

  #report(ends: SessionEnd[], connections: number, seconds: number, utilization: number): ReplayReport {
    const tally = this.#tally;
    const playerLatenessMs = percentiles(tally.playerLateness);
    const latenessMs = percentiles(tally.lateness);
    const cancelled = ends.reduce((sum, { cancelledAtLimit }) => sum + cancelledAtLimit, 0);
    const warnings = [...this.#clone.warnings];
    if (utilization > busyPlayer) {
      warnings.push(
        `the player was busy ${Math.round(utilization * 100)} % of the time: it may have been the bottleneck, not the clone`,
      );
    }
    if (playerLatenessMs.p99 > lateMs) {
      warnings.push(
        `the player itself was late by ${playerLatenessMs.p99.toFixed(1)} ms (99th percentile): its timing is that much off`,
      );
    } else if (latenessMs.p99 > lateMs) {
      warnings.push(
        `statements ran late by ${latenessMs.p99.toFixed(1)} ms (99th percentile), as those before them in their session took longer than captured`,
      );
    }
    if (cancelled > 0)
      warnings.push(`${cancelled} statements were cancelled at the time limit for one statement`);
    for (const warning of warnings) (this.#options.logger ?? silentLogger).warn(warning);
    return {
      schemaVersion: 1,
      seconds,
      speed: this.#options.speed,
      sessions: this.#sessions.length,
      connections,
      transactions: tally.transactions,
      statements: tally.statements,
      errors: tally.errors,
      divergence: tally.divergence,
      skipped: tally.skipped,
      transactionsOpenAtStart: ends.filter(({ openAtStart }) => openAtStart).length,
      transactionsOpenAtEnd: ends.filter(({ openAtEnd }) => openAtEnd).length,
      latenessMs,
      playerLatenessMs,
      playerUtilization: utilization,
      latencyMs: tally.latencyMs,
      capturedLatencyMs: tally.capturedLatencyMs,
      throughput: seconds > 0 ? tally.statements / seconds : 0,
      templates: tally.templates,
      warnings,
    };
  }
}
