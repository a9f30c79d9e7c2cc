import { build, type Histogram } from 'hdr-histogram-js';
import type { LatencySummary } from '../benchmark.js';

/** Latencies in microseconds inside, milliseconds outside; three significant digits up to an hour. */
export class Latencies {
  readonly #histogram: Histogram = build({
    bitBucketSize: 32,
    autoResize: true,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });

  record(ms: number): void {
    this.#histogram.recordValue(Math.min(Math.max(Math.round(ms * 1000), 0), 3_600_000_000));
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  percentile(p: number): number {
    if (this.count === 0) return 0;
    // A bucket is told by its upper end, which may lie above anything that was recorded.
    return Math.min(this.#histogram.getValueAtPercentile(p), this.#histogram.maxValue) / 1000;
  }

  reset(): void {
    this.#histogram.reset();
  }

  /** All zero when nothing was recorded. */
  summary(): LatencySummary {
    const empty = this.count === 0;
    return {
      mean: empty ? 0 : this.#histogram.mean / 1000,
      p50: this.percentile(50),
      p95: this.percentile(95),
      p99: this.percentile(99),
      p999: this.percentile(99.9),
      max: empty ? 0 : this.#histogram.maxValue / 1000,
    };
  }
}
