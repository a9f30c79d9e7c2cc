import { build, type Histogram } from 'hdr-histogram-js';
import type { ReplayEvent } from './events.js';
import type { StatementOutcome } from './statement-query.js';
import type { Divergence, DivergenceClass, Percentiles, ReplayTemplate } from './types.js';

interface TemplateTally {
  sql: string;
  calls: number;
  errors: number;
  capturedUs: number;
  captured: Histogram;
  replayed: Histogram;
}

const mostTemplates = 500;

/** Adds up what a replay shows. Times go in as µs and come out as ms. */
export class Tally {
  readonly lateness = histogram();
  readonly playerLateness = histogram();
  readonly #latency = histogram();
  readonly #captured = histogram();
  readonly #divergence = new Map<DivergenceClass, Divergence>();
  readonly #skipped = new Map<string, number>();
  readonly #templates = new Map<string, TemplateTally>();
  statements = 0;
  errors = 0;
  transactions = 0;

  skip(why: string, count = 1): void {
    this.#skipped.set(why, (this.#skipped.get(why) ?? 0) + count);
  }

  add(event: ReplayEvent, outcome: StatementOutcome, latencyUs: number): void {
    this.statements++;
    if (!outcome.ok) this.errors++;
    const template = this.#template(event);
    template.calls++;
    if (!outcome.ok) template.errors++;
    this.#compare(event, outcome);
    if (outcome.ok) record(template.replayed, latencyUs, this.#latency);
    if (event.outcome === 'ok' && event.durationUs !== null) {
      template.capturedUs += event.durationUs;
      record(template.captured, event.durationUs, this.#captured);
    }
  }

  #template(event: ReplayEvent): TemplateTally {
    const known = this.#templates.get(event.fingerprint);
    if (known) return known;
    const template = {
      sql: event.template,
      calls: 0,
      errors: 0,
      capturedUs: 0,
      captured: histogram(2),
      replayed: histogram(2),
    };
    this.#templates.set(event.fingerprint, template);
    return template;
  }

  #compare(event: ReplayEvent, outcome: StatementOutcome): void {
    const found = classify(event, outcome);
    if (!found) return;
    const known = this.#divergence.get(found);
    if (known) {
      known.count++;
      return;
    }
    this.#divergence.set(found, {
      class: found,
      count: 1,
      sample: {
        sql: event.sql.slice(0, 2000),
        captured: event.outcome === 'ok' ? 'ok' : (event.sqlstate ?? 'error'),
        replayed: outcome.ok ? 'ok' : `${outcome.sqlstate ?? 'error'}: ${outcome.message ?? ''}`,
        session: event.session,
      },
    });
  }

  get divergence(): Divergence[] {
    return [...this.#divergence.values()].sort((a, b) => b.count - a.count);
  }

  get skipped(): { what: string; count: number }[] {
    return [...this.#skipped].map(([what, count]) => ({ what, count })).sort((a, b) => b.count - a.count);
  }

  get latencyMs(): Percentiles {
    return percentiles(this.#latency);
  }

  get capturedLatencyMs(): Percentiles {
    return percentiles(this.#captured);
  }

  /** Those with the most captured time first. */
  get templates(): ReplayTemplate[] {
    return [...this.#templates]
      .sort(([, a], [, b]) => b.capturedUs - a.capturedUs)
      .slice(0, mostTemplates)
      .map(([fingerprint, { sql, calls, errors, captured, replayed }]) => ({
        fingerprint,
        sql,
        calls,
        errors,
        capturedP50Ms: quantile(captured, 50),
        capturedP95Ms: quantile(captured, 95),
        replayedP50Ms: quantile(replayed, 50),
        replayedP95Ms: quantile(replayed, 95),
      }));
  }
}

function classify(event: ReplayEvent, outcome: StatementOutcome): DivergenceClass | undefined {
  if (event.outcome === 'ok') return outcome.ok ? undefined : 'error_instead_of_ok';
  if (outcome.ok) return 'ok_instead_of_error';
  return outcome.sqlstate === event.sqlstate ? undefined : 'other_error';
}

function histogram(digits: 2 | 3 = 3): Histogram {
  return build({ bitBucketSize: 32, autoResize: true, numberOfSignificantValueDigits: digits });
}

function record(one: Histogram, us: number, other: Histogram): void {
  const value = Math.max(0, Math.round(us));
  one.recordValue(value);
  other.recordValue(value);
}

function quantile(of: Histogram, percent: number): number | null {
  return of.totalCount === 0 ? null : of.getValueAtPercentile(percent) / 1000;
}

export function percentiles(of: Histogram): Percentiles {
  return {
    p50: quantile(of, 50) ?? 0,
    p95: quantile(of, 95) ?? 0,
    p99: quantile(of, 99) ?? 0,
    max: of.totalCount === 0 ? 0 : of.maxValue / 1000,
  };
}
