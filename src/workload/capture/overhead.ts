import type { Clock } from '../../base/index.js';
import { readCommits } from './activity.js';
import type { Control } from './control.js';
import type { CaptureOverhead } from './types.js';

interface Sample {
  commits: number;
  atMs: number;
}

/** Measures the server's own transaction rate before and during a capture. */
export class OverheadMeter {
  readonly #control: Control;
  readonly #clock: Clock;
  #before: [Sample, Sample] | undefined;
  #during: Sample | undefined;

  constructor(control: Control, clock: Clock) {
    this.#control = control;
    this.#clock = clock;
  }

  async sampleBefore(lengthMs: number, signal?: AbortSignal): Promise<void> {
    const first = await this.#sample();
    await this.#clock.sleep(lengthMs, signal);
    this.#before = [first, await this.#sample()];
  }

  async begin(): Promise<void> {
    this.#during = await this.#sample();
  }

  async end(logBytes: number): Promise<CaptureOverhead> {
    const last = await this.#sample();
    const during = this.#during ?? last;
    const seconds = (last.atMs - during.atMs) / 1000;
    return {
      commitsPerSecondBefore: this.#before ? rate(...this.#before) : null,
      commitsPerSecondDuring: rate(during, last),
      sampledSecondsBefore: this.#before ? (this.#before[1].atMs - this.#before[0].atMs) / 1000 : 0,
      logBytes,
      logBytesPerSecond: seconds > 0 ? logBytes / seconds : 0,
      caveat:
        'The two rates also differ when the load itself changed between the two samples, so their difference is not the cost of the capture. Logging to other destinations (stderr) comes on top of the bytes named here.',
    };
  }

  async #sample(): Promise<Sample> {
    return { commits: await readCommits(this.#control), atMs: this.#clock.monotonic() };
  }
}

/** Null where the counters were reset in between (a crash of the server). */
function rate(from: Sample, to: Sample): number | null {
  const seconds = (to.atMs - from.atMs) / 1000;
  return seconds > 0 && to.commits >= from.commits ? (to.commits - from.commits) / seconds : null;
}
