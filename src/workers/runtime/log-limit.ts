import type { Clock } from '../../base/index.js';

type Level = 'info' | 'warn' | 'error';

const burst = 300;
const linesPerSecond = 20;
const longestLine = 4000;

/**
 * A command's log lines, so many at once and so many a second: a chatty command can neither flood the control plane
 * nor fill memory. What is left out is counted and said.
 */
export class LogLimit {
  #tokens = burst;
  #at: number;
  #dropped = 0;
  readonly #clock: Clock;
  readonly #sink: (level: Level, message: string) => void;

  constructor(clock: Clock, sink: (level: Level, message: string) => void) {
    this.#clock = clock;
    this.#sink = sink;
    this.#at = clock.monotonic();
  }

  log(level: Level, message: string): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * linesPerSecond);
    this.#at = now;
    if (this.#tokens < 1) {
      this.#dropped += 1;
      return;
    }
    this.#tokens -= 1;
    this.flush();
    const text = message.length > longestLine ? `${message.slice(0, longestLine)}…` : message;
    this.#sink(level, text);
  }

  /** Says how many lines were left out, if any. */
  flush(): void {
    if (this.#dropped === 0) return;
    this.#sink('warn', `${this.#dropped} log lines were left out: the command logs too fast`);
    this.#dropped = 0;
  }
}
