import { z } from 'zod';

const time = z.string().nullable();
const maybe = z.number().nullable();

const bloat = z.object({ expectedBytes: z.number(), bloatBytes: z.number(), bloatShare: z.number() });

export const table = z.object({
  schema: z.string(),
  name: z.string(),
  kind: z.enum(['table', 'materialized view']),
  rowsEstimate: maybe,
  heapBytes: z.number(),
  toastBytes: z.number(),
  indexBytes: z.number(),
  totalBytes: z.number(),
  sequentialScans: maybe,
  rowsReadSequentially: maybe,
  indexScans: maybe,
  rowsFetchedByIndex: maybe,
  rowsInserted: maybe,
  rowsUpdated: maybe,
  rowsUpdatedInPlace: maybe,
  rowsDeleted: maybe,
  liveRows: maybe,
  deadRows: maybe,
  modifiedSinceAnalyze: maybe,
  lastVacuum: time,
  lastAutovacuum: time,
  lastAnalyze: time,
  lastAutoanalyze: time,
  frozenXidAge: z.number(),
  /** Null without statistics to estimate from: see `bloatUnknown`. */
  bloat: bloat.nullable(),
  bloatUnknown: z.string().nullable(),
});

export const index = z.object({
  schema: z.string(),
  table: z.string(),
  name: z.string(),
  method: z.string(),
  unique: z.boolean(),
  valid: z.boolean(),
  sizeBytes: z.number(),
  scans: maybe,
  entriesRead: maybe,
  rowsFetched: maybe,
  /** PostgreSQL 16 and later. */
  lastScan: time,
  bloat: bloat.nullable(),
  bloatUnknown: z.string().nullable(),
});

export const columnStatistics = z.object({
  schema: z.string(),
  table: z.string(),
  column: z.string(),
  inherited: z.boolean(),
  nullShare: z.number(),
  averageBytes: z.number(),
  /** As in pg_stats: above 0 a number of values, below 0 minus the share of rows. */
  distinct: z.number(),
  correlation: maybe,
  /** How many most common values there are, and which share of the rows they make up. */
  commonValues: z.number(),
  commonShare: z.number(),
  histogramBounds: z.number(),
  /** Text of the arrays, only when asked for: they hold user data. */
  mostCommonValues: z.string().nullable().optional(),
  mostCommonShares: z.array(z.number()).nullable().optional(),
  histogram: z.string().nullable().optional(),
});

export const statistics = z.object({
  database: z.string(),
  bloatSource: z.string(),
  tables: z.array(table),
  indexes: z.array(index),
  columns: z.array(columnStatistics),
});

export type Table = z.infer<typeof table>;
export type Index = z.infer<typeof index>;
export type ColumnStatistics = z.infer<typeof columnStatistics>;
