import pg from 'pg';
import { OttoError } from '../../../base/index.js';
import type { BenchmarkName, LoadReport } from '../benchmark.js';

/** Kept as the comment of a benchmark's schema: says that the schema is ours, and what was loaded into it. */
export interface Marker {
  madeBy: 'otto';
  benchmark: BenchmarkName;
  scale: number;
  seed: number;
  /** False while a load is under way, and after one that broke off. */
  complete: boolean;
}

/** What is known of the benchmark's schema: absent, not ours, or its marker. */
export async function readMarker(
  client: pg.Client,
  benchmark: BenchmarkName,
): Promise<Marker | 'absent' | 'foreign'> {
  const { rows } = await client.query<{ comment: string | null }>(
    `SELECT obj_description(oid, 'pg_namespace') AS comment FROM pg_namespace WHERE nspname = $1`,
    [benchmark],
  );
  const row = rows[0];
  if (!row) return 'absent';
  try {
    const marker = JSON.parse(row.comment ?? '') as Marker;
    return marker?.madeBy === 'otto' && marker.benchmark === benchmark ? marker : 'foreign';
  } catch {
    // Any other comment: somebody else's schema.
    return 'foreign';
  }
}

export async function writeMarker(client: pg.Client, marker: Marker): Promise<void> {
  const schema = pg.escapeIdentifier(marker.benchmark);
  await client.query(`COMMENT ON SCHEMA ${schema} IS ${pg.escapeLiteral(JSON.stringify(marker))}`);
}

/** The marker of a complete load, or an error that says how to get one. */
export async function requireLoaded(client: pg.Client, benchmark: BenchmarkName): Promise<Marker> {
  const marker = await readMarker(client, benchmark);
  if (typeof marker === 'object' && marker.complete) return marker;
  const why = {
    absent: 'there is no such schema',
    foreign: 'the schema of that name was not made by otto',
  };
  throw new OttoError(
    'BENCHMARK_NOT_LOADED',
    `benchmark ${benchmark} is not loaded: ${typeof marker === 'string' ? why[marker] : 'its load did not finish'}`,
    { hint: `Load it first: otto bench load ${benchmark}` },
  );
}

/** Drops the schema where it is ours; false when there is none. */
export async function dropSchema(client: pg.Client, benchmark: BenchmarkName): Promise<boolean> {
  const marker = await readMarker(client, benchmark);
  if (marker === 'absent') return false;
  if (marker === 'foreign') {
    throw new OttoError('SCHEMA_NOT_OURS', `schema "${benchmark}" was not made by otto and is left alone`, {
      hint: 'Use another database, or rename or drop that schema yourself.',
    });
  }
  await client.query(`DROP SCHEMA ${pg.escapeIdentifier(benchmark)} CASCADE`);
  return true;
}

/** An empty schema with an incomplete marker, in the place of an earlier load. */
export async function createSchema(
  client: pg.Client,
  marker: Omit<Marker, 'complete' | 'madeBy'>,
): Promise<void> {
  await client.query('BEGIN');
  try {
    await dropSchema(client, marker.benchmark);
    await client.query(`CREATE SCHEMA ${pg.escapeIdentifier(marker.benchmark)}`);
    await writeMarker(client, { madeBy: 'otto', ...marker, complete: false });
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

/** Exact row counts and sizes of the schema's tables. */
export async function measureTables(
  client: pg.Client,
  schema: string,
  rows: ReadonlyMap<string, number>,
): Promise<Pick<LoadReport, 'tables' | 'bytes'>> {
  const sizes = await client.query<{ name: string; bytes: string }>(
    `SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY c.relname`,
    [schema],
  );
  const tables = sizes.rows.map(({ name, bytes }) => ({
    name,
    rows: rows.get(name) ?? 0,
    bytes: Number(bytes),
  }));
  return { tables, bytes: tables.reduce((sum, table) => sum + table.bytes, 0) };
}
