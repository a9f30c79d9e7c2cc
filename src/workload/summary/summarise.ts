import { type DuckDb, withDuckDb } from '../../duckdb/index.js';
import type { CaptureSummary, TemplateView, WorkloadSeries } from './types.js';

export interface SummaryOptions {
  /** How many templates, those with the most total time first. Default 500. */
  templates?: number;
  signal?: AbortSignal;
}

const seriesSlices = 60;
const sparklineSlices = 30;
const shortestSliceUs = 250_000;

interface Span {
  [key: string]: number | null;
  first: number | null;
  last: number | null;
}

const spanSql =
  'select min(epoch_us(started_at)) as first, max(epoch_us(started_at)) as last from read_parquet($1)';

const templatesSql = `
  select fingerprint, first(template order by started_at) as sql, count(*) as calls,
         count(*) filter (outcome = 'error') as errors,
         coalesce(avg(duration_us) / 1000, 0) as "meanMs",
         coalesce(quantile_cont(duration_us, 0.5) / 1000, 0) as "p50Ms",
         coalesce(quantile_cont(duration_us, 0.95) / 1000, 0) as "p95Ms",
         coalesce(quantile_cont(duration_us, 0.99) / 1000, 0) as "p99Ms",
         coalesce(sum(duration_us)::double / 1000, 0) as "totalMs"
    from read_parquet($1)
   group by fingerprint
   order by "totalMs" desc, fingerprint
   limit $2`;

const sparklineSql = `
  select fingerprint, (epoch_us(started_at) - $2) // $3 as slice, count(*) as count
    from read_parquet($1)
   group by all`;

const seriesSql = `
  select (epoch_us(started_at) - $2) // $3 as slice, count(*) as count,
         coalesce(quantile_cont(duration_us, 0.5) / 1000, 0) as p50,
         coalesce(quantile_cont(duration_us, 0.99) / 1000, 0) as p99
    from read_parquet($1)
   group by slice`;

/** Templates and the course of load and latency of a capture, from its Parquet file. */
export async function summariseCapture(file: string, options: SummaryOptions = {}): Promise<CaptureSummary> {
  return withDuckDb({ threads: 2 }, async (db) => {
    const [span] = await db.query<Span>(spanSql, [file], options);
    if (!span || span.first === null || span.last === null) {
      return { templates: [], series: { t: [], count: [], p50Ms: [], p99Ms: [] } };
    }
    return {
      templates: await readTemplates(db, file, { first: span.first, last: span.last }, options),
      series: await readSeries(db, file, { first: span.first, last: span.last }, options),
    };
  });
}

async function readTemplates(
  db: DuckDb,
  file: string,
  { first, last }: { first: number; last: number },
  options: SummaryOptions,
): Promise<TemplateView[]> {
  const rows = await db.query<Omit<TemplateView, 'sparkline'> & Record<string, string | number>>(
    templatesSql,
    [file, BigInt(options.templates ?? 500)],
    options,
  );
  const width = sliceWidth(first, last, sparklineSlices, 1);
  const sparklines = new Map(
    rows.map(({ fingerprint }) => [fingerprint, new Array<number>(sparklineSlices).fill(0)]),
  );
  const counts = await db.query<{ fingerprint: string; slice: number; count: number }>(
    sparklineSql,
    [file, BigInt(first), BigInt(width)],
    options,
  );
  for (const { fingerprint, slice, count } of counts) {
    const sparkline = sparklines.get(fingerprint);
    if (sparkline) sparkline[slice] = count;
  }
  return rows.map((row) => ({ ...row, sparkline: sparklines.get(row.fingerprint)! }));
}

async function readSeries(
  db: DuckDb,
  file: string,
  { first, last }: { first: number; last: number },
  options: SummaryOptions,
): Promise<WorkloadSeries> {
  const width = sliceWidth(first, last, seriesSlices, shortestSliceUs);
  const slices = Math.floor((last - first) / width) + 1;
  const series: WorkloadSeries = {
    t: Array.from({ length: slices }, (_, i) => Math.round((first + i * width) / 1000)),
    count: new Array<number>(slices).fill(0),
    p50Ms: new Array<number>(slices).fill(0),
    p99Ms: new Array<number>(slices).fill(0),
  };
  const rows = await db.query<{ slice: number; count: number; p50: number; p99: number }>(
    seriesSql,
    [file, BigInt(first), BigInt(width)],
    options,
  );
  for (const { slice, count, p50, p99 } of rows) {
    series.count[slice] = count;
    series.p50Ms[slice] = p50;
    series.p99Ms[slice] = p99;
  }
  return series;
}

/** µs of one of at most `slices` slices that together hold first and last. */
function sliceWidth(first: number, last: number, slices: number, shortestUs: number): number {
  return Math.max(shortestUs, Math.ceil((last - first + 1) / slices));
}
