import type { BenchmarkReport, TypeReport } from '../benchmark.js';
import { Latencies } from './latency.js';

interface TypeTally {
  completed: number;
  rolledBack: number;
  errors: number;
  retries: number;
  latencies: Latencies;
}

/** Counts what happened in a run. */
export class Tally {
  readonly latencies = new Latencies();
  readonly startDelays = new Latencies();
  readonly #types: Map<string, TypeTally>;
  readonly #errors = new Map<string, { count: number; message: string }>();
  readonly #series: BenchmarkReport['series'] = [];
  readonly #second = new Latencies();
  readonly #windowMs: number;
  #now = 0;
  completedInTime = 0;
  unserved = 0;

  constructor(types: readonly string[], windowMs: number) {
    this.#windowMs = windowMs;
    this.#types = new Map(
      types.map((type) => [
        type,
        { completed: 0, rolledBack: 0, errors: 0, retries: 0, latencies: new Latencies() },
      ]),
    );
  }

  /** `endMs` is the time since the start of the run; transactions are told in the order in which they end. */
  completed(type: string, latencyMs: number, endMs: number, rolledBack: boolean): void {
    const tally = this.#types.get(type)!;
    tally.completed += 1;
    if (rolledBack) tally.rolledBack += 1;
    tally.latencies.record(latencyMs);
    this.latencies.record(latencyMs);
    if (endMs <= this.#windowMs) this.completedInTime += 1;
    this.#closeSeconds(Math.floor(endMs / 1000));
    this.#second.record(latencyMs);
  }

  retried(type: string): void {
    this.#types.get(type)!.retries += 1;
  }

  failed(type: string | undefined, code: string, message: string): void {
    if (type !== undefined) this.#types.get(type)!.errors += 1;
    const seen = this.#errors.get(code) ?? { count: 0, message };
    this.#errors.set(code, { ...seen, count: seen.count + 1 });
  }

  /** An arrival that nobody took up: it has waited at least this long. */
  leftUnserved(waitedMs: number): void {
    this.unserved += 1;
    this.latencies.record(waitedMs);
  }

  get completedCount(): number {
    return this.#sum((tally) => tally.completed);
  }

  /** Fills the series up to the end of the run. */
  close(endMs: number): void {
    this.#closeSeconds(Math.ceil(Math.max(endMs, this.#windowMs) / 1000));
  }

  report(): Pick<
    BenchmarkReport,
    'completed' | 'errors' | 'retries' | 'unserved' | 'latencyMs' | 'byType' | 'series'
  > {
    const byType: TypeReport[] = [...this.#types].map(([type, { latencies, ...counts }]) => ({
      type,
      ...counts,
      latencyMs: latencies.summary(),
    }));
    return {
      completed: this.completedCount,
      errors: [...this.#errors].map(([code, error]) => ({ code, ...error })),
      retries: this.#sum((tally) => tally.retries),
      unserved: this.unserved,
      latencyMs: this.latencies.summary(),
      byType,
      series: this.#series,
    };
  }

  #closeSeconds(upTo: number): void {
    while (this.#now < upTo) {
      const completed = this.#second.count;
      this.#series.push({
        second: this.#now,
        completed,
        p99Ms: completed === 0 ? null : this.#second.percentile(99),
      });
      if (completed > 0) this.#second.reset();
      this.#now += 1;
    }
  }

  #sum(of: (tally: TypeTally) => number): number {
    return [...this.#types.values()].reduce((sum, tally) => sum + of(tally), 0);
  }
}
