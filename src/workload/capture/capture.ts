import {
  type Clock,
  InputError,
  type Logger,
  OttoError,
  type ProgressSink,
  silentLogger,
  systemClock,
  throttleProgress,
} from '../../base/index.js';
import { findOverrides, type SettingOverride } from '../../postgres/index.js';
import { eventColumns } from '../event.js';
import { Templates } from '../sql/templates.js';
import { type Activity, readActivity, readLogZone } from './activity.js';
import { Archive } from './archive.js';
import { Control } from './control.js';
import { LogFollower, logSilent } from './log-follower.js';
import { decisiveSettings, wantedSettings } from './log-settings.js';
import { LogTail } from './log-tail.js';
import { lostOf } from './lost.js';
import { Marker } from './marker.js';
import { chooseMethod } from './methods.js';
import { OverheadMeter } from './overhead.js';
import { type LogAccess, openLog, readSettings } from './preflight.js';
import { SettingsGuard } from './settings-guard.js';
import type { CaptureLimits, CaptureManifest, CaptureOptions, CaptureResult } from './types.js';

const pollMs = { files: 100, sql: 500 };
const watchMs = 2_000;

/**
 * Records every statement that clients run for a time, from the server's log. Nothing is restarted: log settings are
 * journalled, changed by reload, and restored before this returns or throws, whatever happened. Resolves with a
 * Parquet file (columns: `eventColumns`) and its manifest, which names what was lost.
 * @throws InputError METHOD_NOT_AVAILABLE; OttoError LOG_NOT_COLLECTED, LOG_NOT_READABLE, LOG_NOT_ENGLISH, LOG_SILENT,
 * MISSING_PRIVILEGE, DISK_FULL, SERVER_GONE, RESTORE_PENDING, CANCELLED, those of `connect` and `changeSettings`.
 */
export async function captureWorkload(options: CaptureOptions): Promise<CaptureResult> {
  const method = chooseMethod(options.method);
  if (!(Number.isFinite(options.seconds) && options.seconds > 0)) {
    throw new InputError(`a capture of ${options.seconds} seconds cannot be made`, {
      hint: 'Give a number of seconds above 0.',
    });
  }
  const clock = options.clock ?? systemClock;
  const limits = withDefaults(options);
  const control = new Control({ ...options, clock, reconnectMs: limits.reconnectMs });
  let access: LogAccess | undefined;
  let archive: Archive | undefined;
  try {
    access = await openLog(control, limits);
    archive = await Archive.open(options.outDirectory, limits);
    const capture = new LogCapture(options, limits, clock, control, access, archive);
    const manifest = await capture.run();
    const { file, ...digest } = await archive.finish(options.signal);
    return { file, manifest: { ...manifest, method, ...digest } };
  } catch (error) {
    if (options.signal?.aborted) {
      throw new OttoError('CANCELLED', 'the capture was cancelled', { cause: error });
    }
    throw error;
  } finally {
    await archive?.close();
    await access?.source.close();
    await control.close();
  }
}

type Limits = Required<CaptureLimits>;

function withDefaults({ limits, seconds }: CaptureOptions): Limits {
  return {
    reconnectMs: 60_000,
    markerMs: 30_000,
    baselineMs: Math.min(5_000, Math.max(1_000, seconds * 100)),
    memoryBytes: 256 * 1024 * 1024,
    minimumFreeBytes: 256 * 1024 * 1024,
    readThroughSql: false,
    ...limits,
  };
}

/** One capture by log, from the first look to the restored settings. */
class LogCapture {
  readonly #options: CaptureOptions;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #control: Control;
  readonly #access: LogAccess;
  readonly #archive: Archive;
  readonly #tail: LogTail;
  readonly #begin = new Marker();
  readonly #end = new Marker();
  readonly #changedByOthers = new Map<string, string>();
  #endedEarly: string | undefined;

  constructor(
    options: CaptureOptions,
    limits: Limits,
    clock: Clock,
    control: Control,
    access: LogAccess,
    archive: Archive,
  ) {
    this.#options = options;
    this.#limits = limits;
    this.#clock = clock;
    this.#logger = options.logger ?? silentLogger;
    this.#control = control;
    this.#access = access;
    this.#archive = archive;
    this.#tail = new LogTail(access.source, access.format);
  }

  async run(): Promise<Omit<CaptureManifest, 'method' | 'bytes' | 'sha256'>> {
    const { signal, url, server } = this.#options;
    const { format, settings, source } = this.#access;
    const progress = throttleProgress(this.#options.progress ?? (() => {}));
    const wanted = wantedSettings(settings, format);
    const templates = await Templates.load();
    const zone = await readLogZone(this.#control);
    const overrides = await this.#overrides();
    const meter = new OverheadMeter(this.#control, this.#clock);
    progress({ phase: 'measuring the load before the capture' });
    await meter.sampleBefore(this.#limits.baselineMs, signal);

    const guard = new SettingsGuard({
      ...this.#options,
      ...this.#limits,
      clock: this.#clock,
      logger: this.#logger,
      reason: 'capture of the workload',
    });
    try {
      progress({ phase: 'changing log settings' });
      await this.#tail.start();
      await guard.change(wanted, signal);
      const before = await readActivity(this.#control);
      const follower = new LogFollower({
        tail: this.#tail,
        clock: this.#clock,
        begin: this.#begin,
        end: this.#end,
        zone,
        templates,
        inTransaction: before.inTransaction,
        emit: (event) => this.#archive.add(event),
        signal,
      });
      await this.#runMarker(this.#begin, url);
      if (!(await follower.pollUntil(this.#begin, this.#limits.markerMs))) {
        throw logSilent(this.#limits.markerMs);
      }
      const startedMs = this.#clock.now();
      await meter.begin();
      const bytesBefore = this.#tail.bytes;
      await this.#follow(follower, progress);
      progress({ phase: 'waiting for the end of the log' });
      const after = await readActivity(this.#control);
      const overhead = await meter.end(this.#tail.bytes - bytesBefore);
      const endedMs = this.#clock.now();
      await this.#runMarker(this.#end, url);
      const endMarkerSeen = await follower.pollUntil(this.#end, this.#limits.markerMs);
      follower.stop();
      await this.#watchSettings();
      progress({ phase: 'restoring log settings' });
      await guard.restore();
      progress({ phase: 'writing the archive' });
      return {
        schemaVersion: 1,
        startedAt: new Date(startedMs).toISOString(),
        endedAt: new Date(endedMs).toISOString(),
        seconds: (endedMs - startedMs) / 1000,
        why: this.#access.why,
        server: {
          role: server,
          version: this.#access.server.version,
          startedAt: this.#access.server.startedAt.toISOString(),
        },
        columns: Object.entries(eventColumns).map(([name, type]) => ({ name, type })),
        counts: this.#counts(follower),
        lost: this.#lost(follower, overrides, before, after, endMarkerSeen),
        overhead,
        settings: { changed: wanted, restored: guard.restored },
        log: {
          format,
          readThrough: source.readThrough,
          bytes: this.#tail.bytes,
          files: [...this.#tail.names].sort(),
        },
      };
    } finally {
      await guard.restore();
    }
  }

  /** Reads the log until the time is over, with an eye on disks, settings and the server itself. */
  async #follow(follower: LogFollower, progress: ProgressSink): Promise<void> {
    const { seconds, signal } = this.#options;
    const since = this.#clock.monotonic();
    let watchedAt = since;
    for (;;) {
      const now = this.#clock.monotonic();
      const leftMs = seconds * 1000 - (now - since);
      if (leftMs <= 0 || this.#endedEarly) return;
      progress({
        phase: 'capturing',
        done: Math.floor((now - since) / 1000),
        total: seconds,
        unit: 'seconds',
        message: `${this.#archive.events} events`,
      });
      await this.#clock.sleep(Math.min(pollMs[this.#access.source.readThrough], leftMs), signal);
      await follower.poll();
      if (this.#clock.monotonic() - watchedAt >= watchMs) {
        watchedAt = this.#clock.monotonic();
        await this.#watch();
      }
    }
  }

  async #watch(): Promise<void> {
    await this.#archive.requireSpace();
    const free = await this.#access.source.freeBytes();
    if (free !== undefined && free < this.#limits.minimumFreeBytes) {
      this.#endedEarly = `the disk of the server's log has only ${free} bytes free`;
    }
    await this.#watchSettings();
  }

  /** Someone else may change what we need; theirs is kept, but it must be said. */
  async #watchSettings(): Promise<void> {
    const now = await readSettings(this.#control);
    const stillWanted = wantedSettings(now, this.#access.format);
    for (const name of [...decisiveSettings, 'log_destination']) {
      if (stillWanted[name] !== undefined) this.#changedByOthers.set(name, now.get(name) ?? '');
    }
  }

  /** Runs our marker; after a restart of the server as soon as it is back. */
  async #runMarker(marker: Marker, url: string): Promise<void> {
    await this.#control.with(() => marker.run(url, this.#options.signal));
  }

  async #overrides(): Promise<SettingOverride[]> {
    const all = await this.#control.with((client) => findOverrides(client, decisiveSettings));
    return all.filter(({ by }) => by !== 'command line');
  }

  #counts(follower: LogFollower): CaptureManifest['counts'] {
    const { counts, numbers } = follower.assembler;
    const { events, statements, errors, templates, unparsed } = this.#archive;
    return {
      events,
      statements,
      sessions: counts.sessions,
      transactions: numbers.transactions + numbers.openAtStart,
      errors,
      templates,
      unparsed,
      logRecords: counts.records,
      sessionsOpenAtStart: counts.sessionsOpenAtStart,
      transactionsOpenAtStart: numbers.openAtStart,
      transactionsOpenAtEnd: follower.atEnd.transactionsOpen,
    };
  }

  #lost(
    follower: LogFollower,
    overrides: SettingOverride[],
    before: Activity,
    after: Activity,
    endMarkerSeen: boolean,
  ) {
    return lostOf({
      tail: this.#tail,
      follower,
      overrides,
      runningAtStart: before.running,
      runningAtEnd: after.running,
      activityComplete: before.complete && after.complete,
      endMarkerSeen,
      markerMs: this.#limits.markerMs,
      restarts: this.#control.restarts,
      changedByOthers: [...this.#changedByOthers].map(([setting, to]) => ({ setting, to })),
      endedEarly: this.#endedEarly,
    });
  }
}
