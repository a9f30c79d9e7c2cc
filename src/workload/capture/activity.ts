import { LogZone } from '../log/zone.js';
import type { Control } from './control.js';
import { ownApplication } from './control.js';

export interface Activity {
  /** Client sessions but ours. */
  sessions: number;
  /** Ids, as the log has them, of sessions inside a transaction block. */
  inTransaction: Set<string>;
  /** Sessions that are running a statement now. */
  running: number;
  /** False where the role may not see the sessions of others: then the numbers above are too low. */
  complete: boolean;
}

const activitySql = `
  select to_hex(trunc(extract(epoch from backend_start))::bigint) || '.' || to_hex(pid) as session, state
    from pg_stat_activity
   where backend_type = 'client backend' and pid <> pg_backend_pid()
     and starts_with(coalesce(application_name, ''), $1) is not true`;

/** What the server's clients are doing now. */
export async function readActivity(control: Control): Promise<Activity> {
  const rows = await control.query<{ session: string | null; state: string | null }>(activitySql, [
    ownApplication,
  ]);
  return {
    sessions: rows.length,
    inTransaction: new Set(
      rows
        .filter(({ state }) => state?.startsWith('idle in transaction'))
        .flatMap(({ session }) => session ?? []),
    ),
    running: rows.filter(({ state }) => state === 'active' || state === 'fastpath function call').length,
    complete: rows.every(({ state }) => state !== null),
  };
}

const commitsSql = 'select sum(xact_commit)::float8 as commits from pg_stat_database';

/** Transactions committed so far, over all databases. */
export async function readCommits(control: Control): Promise<number> {
  const [row] = await control.query<{ commits: number | null }>(commitsSql);
  return row?.commits ?? 0;
}

const zoneSql = `
  select distinct to_char(t, 'TZ') as abbreviation, extract(timezone from t)::int as seconds
    from generate_series(now() - interval '1 day', now() + interval '370 days', interval '6 hours') as t`;

/** The offsets of the log's time zone, as the server itself knows them. */
export async function readLogZone(control: Control): Promise<LogZone> {
  return control.with(async (client) => {
    await client.query('begin');
    try {
      await client.query("select set_config('timezone', current_setting('log_timezone'), true)");
      const { rows } = await client.query<{ abbreviation: string; seconds: number }>(zoneSql);
      return new LogZone(new Map(rows.map(({ abbreviation, seconds }) => [abbreviation, seconds])));
    } finally {
      await client.query('rollback');
    }
  });
}
