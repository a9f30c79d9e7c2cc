import { withDuckDb } from '../../../duckdb/index.js';
import { transactionKinds } from '../../event.js';

/** A template of a capture with the calls that stand for it. */
export interface CapturedTemplate {
  database: string;
  fingerprint: string;
  template: string;
  kind: string;
  calls: number;
  /** Null where no call has a duration. */
  totalMs: number | null;
  p50Ms: number | null;
  samples: CapturedCall[];
}

export interface CapturedCall {
  sql: string;
  /** Null where the log does not hold them. */
  parameters: (string | null)[] | null;
  durationMs: number | null;
}

/**
 * The samples are at the middles of equal parts of a template's calls by duration: with one, the median call. Calls
 * that failed or lack their parameters stand for nothing unless there are no others.
 */
const samplesSql = `
  WITH events AS (
    SELECT * FROM read_parquet(?) WHERE NOT list_contains(?::VARCHAR[], kind)
  ), templates AS (
    SELECT database, fingerprint, any_value(template) AS template, mode(kind) AS kind, count(*) AS calls,
           sum(duration_us) / 1000.0 AS total_ms, median(duration_us) / 1000.0 AS p50_ms
      FROM events GROUP BY ALL
     ORDER BY sum(duration_us) DESC NULLS LAST, count(*) DESC, fingerprint LIMIT ?
  ), usable AS (
    SELECT events.*, outcome = 'ok' AND parameters IS NOT NULL AS good,
           bool_or(outcome = 'ok' AND parameters IS NOT NULL) OVER template_calls AS any_good
      FROM events SEMI JOIN templates USING (database, fingerprint)
    WINDOW template_calls AS (PARTITION BY database, fingerprint)
  ), ranked AS (
    SELECT *, row_number() OVER (same ORDER BY duration_us NULLS FIRST, started_at, session, line) - 1 AS rank,
           count(*) OVER same AS n
      FROM usable WHERE good OR NOT any_good
    WINDOW same AS (PARTITION BY database, fingerprint)
  ), sampled AS (
    SELECT database, fingerprint,
           list({sql: sql, parameters: parameters, duration_ms: duration_us / 1000.0} ORDER BY rank) AS samples
      FROM ranked
     WHERE list_contains(list_transform(range(?), lambda i: least(n - 1, floor((i + 0.5) * n / ?)::BIGINT)), rank)
     GROUP BY ALL
  )
  SELECT templates.*, samples FROM templates JOIN sampled USING (database, fingerprint)
   ORDER BY total_ms DESC NULLS LAST, calls DESC, fingerprint`;

type Row = {
  database: string;
  fingerprint: string;
  template: string;
  kind: string;
  calls: number;
  total_ms: number | null;
  p50_ms: number | null;
  samples: { sql: string; parameters: (string | null)[] | null; duration_ms: number | null }[];
};

/** The templates that took most time in all, most first; transaction control is left out. */
export async function readSamples(
  file: string,
  limits: { templates: number; samples: number },
  signal: AbortSignal,
): Promise<CapturedTemplate[]> {
  return await withDuckDb({}, async (db) => {
    const rows = await db.query<Row>(
      samplesSql,
      [file, listText(transactionKinds), limits.templates, limits.samples, limits.samples],
      { signal },
    );
    return rows.map(({ total_ms, p50_ms, samples, ...row }) => ({
      ...row,
      totalMs: total_ms,
      p50Ms: p50_ms,
      samples: samples.map(({ duration_ms, ...call }) => ({ ...call, durationMs: duration_ms })),
    }));
  });
}

/** A list as the text that casts to it. */
function listText(values: readonly string[]): string {
  return `[${values.map((value) => `'${value}'`).join(', ')}]`;
}
