import { type Clock, OttoError } from '../../base/index.js';
import { Assembler, type AssemblerOptions } from '../log/assembler.js';
import type { LogRecord } from '../log/record.js';
import { ownApplication } from './control.js';
import type { LogTail } from './log-tail.js';
import type { Marker } from './marker.js';

export interface FollowerOptions
  extends Pick<AssemblerOptions, 'zone' | 'templates' | 'inTransaction' | 'emit'> {
  tail: LogTail;
  clock: Clock;
  begin: Marker;
  end: Marker;
  signal?: AbortSignal;
}

const ownConnection = new RegExp(`^connection authorized: .*application_name=${ownApplication}`);

/** Reads the log and hands on what lies between the two markers. */
export class LogFollower {
  readonly #options: FollowerOptions;
  readonly assembler: Assembler;
  sessionsCutOff = 0;
  atEnd = { sessionsOpen: 0, transactionsOpen: 0 };

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.assembler = new Assembler({
      ...options,
      isOwn: (record) =>
        record.application.startsWith(ownApplication) ||
        (record.application === '' && ownConnection.test(record.message)),
      onOwn: (record) => this.#onOwn(record),
    });
  }

  /** Reads all that is new in the log now. */
  poll(): Promise<void> {
    return this.#options.tail.poll((record) => this.#onRecord(record), this.#options.signal);
  }

  /** Reads on until the marker was seen; false when it was not within the limit. */
  async pollUntil(marker: Marker, limitMs: number): Promise<boolean> {
    const { clock, signal } = this.#options;
    const since = clock.monotonic();
    for (;;) {
      await this.poll();
      if (marker.seen) return true;
      if (clock.monotonic() - since > limitMs) return false;
      await clock.sleep(50, signal);
    }
  }

  /** Ends it without its marker: everything read so far counts. */
  stop(): void {
    if (!this.#options.end.seen) this.atEnd = this.assembler.end();
  }

  #onRecord(record: LogRecord): void {
    if (this.#options.end.seen) return;
    if (
      record.backendType === 'postmaster' &&
      /^database system was shut down|^database system is ready|^starting PostgreSQL|^all server processes terminated/.test(
        record.message,
      )
    ) {
      this.sessionsCutOff += this.assembler.serverEnded();
    }
    this.assembler.push(record);
  }

  #onOwn(record: LogRecord): void {
    const { begin, end } = this.#options;
    if (begin.look(record)) this.assembler.begin();
    else if (end.look(record)) this.atEnd = this.assembler.end();
  }
}

/** The log never showed the first marker. */
export function logSilent(limitMs: number): OttoError {
  return new OttoError(
    'LOG_SILENT',
    `the server's log did not show our own statement within ${limitMs / 1000} s`,
    {
      hint: 'Check log_directory and log_filename, and whether the logging collector keeps up or its disk is full.',
    },
  );
}
