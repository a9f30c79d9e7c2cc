import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import { defineCollector } from '../collector.js';
import { ServerConnection } from '../server-connection.js';
import { type Row, rowChanges } from './rates.js';
import { type ColumnKind, kindOf, type StatisticsView, statisticsViews } from './views.js';

const value = z.union([z.number(), z.string(), z.boolean(), z.null()]);
const row = z.record(z.string(), value);

const view = z.object({
  name: z.string(),
  columns: z.record(z.string(), z.enum(['counter', 'gauge', 'label'])),
  rows: z.array(
    z.object({ key: row, values: row, ratesPerSecond: z.record(z.string(), z.number()), reset: z.boolean() }),
  ),
});

const result = z.object({
  database: z.string(),
  version: z.string(),
  firstAt: z.string(),
  secondAt: z.string(),
  /** Between the samples, by the server's clock. */
  intervalSeconds: z.number(),
  views: z.array(view),
  missing: z.array(z.object({ view: z.string(), why: z.string() })),
});

interface Sample {
  at: string;
  views: Map<string, { rows: Row[]; columns: Record<string, ColumnKind> }>;
}

/** The table and index views are those of the database in the URL; the others are of the whole server. */
export const metricsCollector = defineCollector({
  type: 'METRICS',
  summary:
    'All cumulative statistics views that the server has, twice: values, and rates of what is counted.',
  config: z.object({
    intervalSeconds: z
      .number()
      .min(0)
      .max(24 * 3600)
      .default(10)
      .describe('Between the two samples'),
  }),
  result,
  holdsUserData: false,
  defaultTimeoutMs: (config) => (config.intervalSeconds + 300) * 1000,
  setup: (context) => ServerConnection.open(context),
  async collect({ config, signal, progress, log }, server) {
    const known = (await server.row<{ version: string; database: string }>(
      `SELECT split_part(current_setting('server_version'), ' ', 1) AS version, current_database()::text AS database`,
    ))!;
    const { present, missing } = await presentViews(server);
    progress({ phase: 'first sample' });
    const first = await sample(server, present);
    progress({ phase: 'waiting', total: config.intervalSeconds, unit: 'seconds' });
    await delay(config.intervalSeconds * 1000, undefined, { signal });
    progress({ phase: 'second sample' });
    const second = await sample(server, present);
    const intervalSeconds = (Date.parse(second.at) - Date.parse(first.at)) / 1000;

    const views = present.map((of) => {
      const { columns, rows } = second.views.get(of.name)!;
      const before = first.views.get(of.name)!.rows;
      return { name: of.name, columns, rows: rowChanges(of, columns, before, rows, intervalSeconds) };
    });
    for (const { name, rows } of views) {
      const resets = rows.filter(({ reset }) => reset).length;
      if (resets > 0) log('warn', `${name}: the counters of ${resets} rows were reset between the samples`);
    }
    return { ...known, firstAt: first.at, secondAt: second.at, intervalSeconds, views, missing };
  },
  cleanup: async (_, server) => server?.close(),
  rows: ({ views }) => views.reduce((sum, { rows }) => sum + rows.length, 0),
});

/** An extension's view is found in whichever schema the extension lives. */
async function presentViews(server: ServerConnection) {
  const rows = await server.rows<{ name: string; qualified: string; readable: boolean }>(
    `SELECT c.relname::text AS name, format('%I.%I', n.nspname, c.relname) AS qualified,
            has_table_privilege(c.oid, 'select') AND has_schema_privilege(n.oid, 'usage') AS readable
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
      WHERE c.relkind = 'v' AND c.relname = ANY ($1) AND (n.nspname = 'pg_catalog' OR d.objid IS NOT NULL)`,
    [statisticsViews.map(({ name }) => name)],
  );
  const found = new Map(rows.map((entry) => [entry.name, entry]));
  const present: StatisticsView[] = [];
  const missing: { view: string; why: string }[] = [];
  for (const candidate of statisticsViews) {
    const entry = found.get(candidate.name);
    if (!entry) {
      const why = candidate.name.startsWith('pg_stat_statements')
        ? 'the extension pg_stat_statements is not installed in this database'
        : 'this version of the server does not have it';
      missing.push({ view: candidate.name, why });
    } else if (!entry.readable) {
      missing.push({ view: candidate.name, why: 'the role may not read it' });
    } else {
      const reason = await unusable(server, entry.qualified, candidate);
      if (reason === undefined) present.push({ ...candidate, from: candidate.from ?? entry.qualified });
      else missing.push({ view: candidate.name, why: reason });
    }
  }
  return { present, missing };
}

/** pg_stat_statements may be installed without its library being loaded: then its view exists and fails. */
async function unusable(
  server: ServerConnection,
  qualified: string,
  candidate: StatisticsView,
): Promise<string | undefined> {
  try {
    await server.client.query(`SELECT 1 FROM ${candidate.from ?? qualified} LIMIT 1`);
    return undefined;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    // Not loaded, no privilege, or not to be had on a standby.
    if (code === '55000' || code === '42501') return message;
    throw error;
  }
}

const numericTypes = new Set<number>([
  pg.types.builtins.INT2,
  pg.types.builtins.INT4,
  pg.types.builtins.INT8,
  pg.types.builtins.FLOAT4,
  pg.types.builtins.FLOAT8,
  pg.types.builtins.NUMERIC,
]);

async function sample(server: ServerConnection, views: readonly StatisticsView[]): Promise<Sample> {
  const at = (await server.row<{ at: string }>('SELECT clock_timestamp() AS at'))!.at;
  const read: Sample['views'] = new Map();
  for (const of of views) {
    const { rows, fields } = await server.query(`SELECT * FROM ${of.from}`);
    const shown = fields.filter(({ name }) => !of.without?.includes(name));
    const columns = Object.fromEntries(
      shown.map(({ name, dataTypeID }) => [name, kindOf(of, name, numericTypes.has(dataTypeID))]),
    );
    read.set(of.name, {
      columns,
      rows: rows.map((values) => Object.fromEntries(shown.map(({ name }) => [name, plain(values[name])]))),
    });
  }
  return { at, views: read };
}

function plain(given: unknown): Row[string] {
  if (given === null || given === undefined) return null;
  return typeof given === 'number' || typeof given === 'boolean' ? given : String(given);
}
