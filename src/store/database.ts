import { readdir, readFile } from 'node:fs/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { type Logger, OttoError, silentLogger } from '../base/index.js';
import type { Tables } from './tables.js';

/** The control plane's schema; DBOS keeps its own beside it, in `dbos`. */
const schema = 'otto';
/** Any constant: serialises migrations of several control planes that start together. */
const migrationLock = 7_205_759_403;

const { Pool, types } = pg;
const int8 = 20;

export type Database = Kysely<Tables>;

/** JSON for a json column; undefined and null stay SQL NULL. */
export function json(value: unknown): string {
  // A NUL character is legal in JSON and refused by jsonb: it would lose the whole row.
  return JSON.stringify(value ?? null).replaceAll('\\u0000', '\\ufffd');
}

export function openPool(url: string, options: { max?: number; logger?: Logger } = {}): pg.Pool {
  const pool = new Pool({
    connectionString: url,
    max: options.max ?? 10,
    application_name: 'ottopilot',
    options: `-c search_path=${schema}`,
    types: {
      getTypeParser: ((oid: number, format: 'text') =>
        oid === int8 ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
    },
  });
  // An idle connection that the server closed is not a crash: the next query opens another.
  pool.on('error', (error) =>
    (options.logger ?? silentLogger).warn({ err: error }, 'lost an idle database connection'),
  );
  // One that is lent out has no listener of the pool's: when its server ends between two queries of a transaction, the
  // unheard event would end the process. The next query says what is wrong.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

export function openDatabase(pool: pg.Pool): Database {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

/** Applies the numbered files of migrations/ that are missing, each in a transaction, under an advisory lock. */
export async function migrate(pool: pg.Pool): Promise<string[]> {
  const directory = new URL('./migrations/', import.meta.url);
  const names = (await readdir(directory)).filter((name) => /^\d{3}-.*\.sql$/.test(name)).sort();
  const client = await pool.connect();
  const applied: string[] = [];
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    await client.query(`create schema if not exists ${schema}`);
    await client.query(
      `create table if not exists ${schema}.migrations (name text primary key, applied_at timestamptz not null default now())`,
    );
    const { rows } = await client.query<{ name: string }>(`select name from ${schema}.migrations`);
    const known = new Set(rows.map((row) => row.name));
    const foreign = [...known].filter((name) => !names.includes(name));
    if (foreign.length > 0) {
      throw new OttoError(
        'SCHEMA_TOO_NEW',
        `the database has migrations that this version does not know: ${foreign.join(', ')}`,
        {
          hint: 'Run a version of otto at least as new as the one that migrated this database.',
        },
      );
    }
    for (const name of names.filter((name) => !known.has(name))) {
      const text = await readFile(new URL(name, directory), 'utf8');
      await client.query('begin');
      try {
        await client.query(text);
        await client.query(`insert into ${schema}.migrations (name) values ($1)`, [name]);
        await client.query('commit');
      } catch (error) {
        await client.query('rollback');
        throw new OttoError('MIGRATION_FAILED', `migration ${name} failed: ${(error as Error).message}`, {
          cause: error,
        });
      }
      applied.push(name);
    }
  } finally {
    await client.query('select pg_advisory_unlock($1)', [migrationLock]).catch(() => {});
    client.release();
  }
  return applied;
}

/** The database server's clock: the one clock that all control planes share. */
export const dbNow = sql<Date>`now()`;
