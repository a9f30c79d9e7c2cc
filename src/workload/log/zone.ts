/**
 * Turns the log's local times into µs since the epoch. The log names its zone by abbreviation only, so the offsets
 * of the abbreviations that the server's log_timezone uses must be known.
 */
export class LogZone {
  readonly #offsets: ReadonlyMap<string, number>;
  #minute = '';
  #minuteMs = 0;

  /** Seconds east of UTC by abbreviation. */
  constructor(offsets: ReadonlyMap<string, number>) {
    this.#offsets = offsets;
  }

  /** Undefined where the text is no time or its zone is not known. */
  toUs(time: string): number | undefined {
    // `2026-11-21 06:37:02.003 UTC`: everything but seconds seldom changes from one record to the next.
    const minute = `${time.slice(0, 16)}${time.slice(23)}`;
    if (minute !== this.#minute) {
      const offset = this.#offsets.get(time.slice(24));
      const ms = Date.parse(`${time.slice(0, 10)}T${time.slice(11, 16)}:00Z`);
      if (offset === undefined || Number.isNaN(ms)) return undefined;
      this.#minute = minute;
      this.#minuteMs = ms - offset * 1000;
    }
    const seconds = Number(time.slice(17, 23));
    return Number.isNaN(seconds) ? undefined : (this.#minuteMs + Math.round(seconds * 1000)) * 1000;
  }
}
