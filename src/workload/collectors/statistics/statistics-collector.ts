import { z } from 'zod';
import { defineCollector } from '../collector.js';
import { lockNotAvailable, ServerConnection } from '../server-connection.js';
import { bloatSource, btreeBloat, type ColumnWidth, tableBloat } from './bloat.js';
import { columnsSql, indexesSql, type Sizes, tablesSql, widthsSql } from './queries.js';
import { type ColumnStatistics, type Index, statistics, type Table } from './schema.js';

const config = z.object({
  includeValues: z
    .boolean()
    .default(false)
    .describe('Most common values and histograms too: they are values out of the tables'),
});

type TableRow = Omit<Table, 'bloat' | 'bloatUnknown'> & {
  oid: number;
  fillFactor: number;
  accessMethod: string;
};
type IndexRow = Omit<Index, 'bloat' | 'bloatUnknown'> & { oid: number; fillFactor: number; rows: number };
type WidthRow = Pick<ColumnWidth, 'alignment' | 'fixedLength'> & {
  relation: number;
  averageBytes: number | null;
  nullShare: number | null;
  distinct: number | null;
};

/** Of the database that the URL names. */
export const statisticsCollector = defineCollector({
  type: 'STATISTICS',
  summary:
    'Sizes, use, dead rows and estimated bloat of tables and indexes, and the planner’s column statistics.',
  config,
  result: statistics,
  holdsUserData: (given) => given.includeValues,
  setup: (context) => ServerConnection.open(context),
  async collect({ config: given, progress, log }, server) {
    const known = (await server.row<{ database: string; major: number; pageBytes: number }>(
      `SELECT current_database()::text AS database, current_setting('server_version_num')::int / 10000 AS major,
              current_setting('block_size')::int AS "pageBytes"`,
    ))!;
    progress({ phase: 'sizes and use' });
    const read = async (sizes: Sizes) => ({
      tables: await server.rows<TableRow>(tablesSql(sizes)),
      indexes: await server.rows<IndexRow>(indexesSql(sizes, known.major >= 16)),
    });
    const { tables, indexes } = await read('measured').catch((error: unknown) => {
      if ((error as { code?: string }).code !== lockNotAvailable) throw error;
      log('warn', 'a table is locked: sizes are the page counts of the last VACUUM or ANALYZE');
      return read('counted');
    });
    progress({ phase: 'column statistics' });
    const columns = await server.rows<ColumnStatistics>(columnsSql(given.includeValues));
    const widths = groupWidths(await server.rows<WidthRow>(widthsSql));
    return {
      database: known.database,
      bloatSource,
      tables: tables.map((row) => withTableBloat(row, widths.get(row.oid) ?? [], known.pageBytes)),
      indexes: indexes.map((row) => withIndexBloat(row, widths.get(row.oid) ?? [], known.pageBytes)),
      columns,
    };
  },
  cleanup: async (_, server) => server?.close(),
  rows: ({ tables, indexes, columns }) => tables.length + indexes.length + columns.length,
});

function withTableBloat(row: TableRow, widths: readonly WidthRow[], pageBytes: number): Table {
  const { oid: _, fillFactor, accessMethod, ...table } = row;
  const columns = complete(widths);
  const unknown =
    accessMethod !== 'heap'
      ? `the layout of access method ${accessMethod} is not known`
      : table.rowsEstimate === null
        ? 'the table was never vacuumed or analyzed'
        : columns === undefined
          ? 'a column has no statistics: the table was not analyzed, is empty, or may not be read by the role'
          : null;
  const pages = table.heapBytes / pageBytes;
  const rows = table.rowsEstimate ?? 0;
  const bloat =
    unknown === null ? tableBloat({ pages, rows, fillFactor, pageBytes, columns: columns! }) : null;
  return { ...table, bloat, bloatUnknown: unknown };
}

function withIndexBloat(row: IndexRow, widths: readonly WidthRow[], pageBytes: number): Index {
  const { oid: _, fillFactor, rows, ...index } = row;
  const columns = complete(widths);
  const unknown =
    index.method !== 'btree'
      ? `bloat is estimated for B-trees only, not for ${index.method}`
      : rows < 0
        ? 'the index was never counted: vacuum or analyze its table'
        : columns === undefined
          ? 'a column has no statistics: the table was not analyzed, is empty, or may not be read by the role'
          : null;
  const rowsPerKey = index.unique ? 1 : rows / keysOf(widths, rows);
  const pages = index.sizeBytes / pageBytes;
  const shape = { pages, rows, fillFactor, pageBytes, rowsPerKey };
  const bloat = unknown === null ? btreeBloat({ ...shape, columns: columns! }) : null;
  return { ...index, bloat, bloatUnknown: unknown };
}

/** The widths, or undefined where one is not known. */
function complete(widths: readonly WidthRow[]): ColumnWidth[] | undefined {
  const known: ColumnWidth[] = [];
  for (const { averageBytes, nullShare, alignment, fixedLength } of widths) {
    if (averageBytes === null || nullShare === null) return undefined;
    known.push({ averageBytes, nullShare, alignment, fixedLength });
  }
  return known.length > 0 ? known : undefined;
}

/** How many different keys there are, taking the columns as independent. */
function keysOf(widths: readonly WidthRow[], rows: number): number {
  const product = widths.reduce((keys, { distinct }) => {
    const n = distinct ?? -1;
    return keys * Math.max(1, n < 0 ? -n * rows : n);
  }, 1);
  return Math.max(1, Math.min(rows, product));
}

function groupWidths(rows: readonly WidthRow[]): Map<number, WidthRow[]> {
  const grouped = new Map<number, WidthRow[]>();
  for (const row of rows) {
    const list = grouped.get(row.relation);
    if (list) list.push(row);
    else grouped.set(row.relation, [row]);
  }
  return grouped;
}
