import type { z } from 'zod';
import type { CollectorContext } from '../collector.js';
import { lockNotAvailable, type ServerConnection } from '../server-connection.js';
import * as sql from './queries.js';
import type { column, constraint, Database, index, Relation } from './schema.js';

type OfRelation<T> = T & { relation: number };
type Sizes = Pick<Relation, 'totalBytes' | 'heapBytes'>;

/** Everything in the database that the connection is to, as of one moment. */
export async function readDatabase(
  server: ServerConnection,
  log: CollectorContext<unknown>['log'],
): Promise<Pick<Database, 'extensions' | 'schemas' | 'relations'>> {
  await server.client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const extensions = await server.rows<Database['extensions'][number]>(sql.extensionsSql);
  const schemas = await server.rows<Database['schemas'][number]>(sql.schemasSql);
  const relations = await server.rows<Omit<Relation, 'columns' | 'indexes' | 'constraints' | keyof Sizes>>(
    sql.relationsSql,
  );
  const columns = byRelation(await server.rows<OfRelation<z.infer<typeof column>>>(sql.columnsSql));
  type IndexRow = OfRelation<Omit<z.infer<typeof index>, 'sizeBytes'> & { oid: number }>;
  const indexes = byRelation(await server.rows<IndexRow>(sql.indexesSql));
  const constraints = byRelation(
    await server.rows<OfRelation<z.infer<typeof constraint>>>(sql.constraintsSql),
  );
  await server.client.query('COMMIT');

  const sizes = await measure<Sizes>(server, sql.sizesSql, log);
  const indexSizes = await measure<{ sizeBytes: number }>(server, sql.indexSizesSql, log);
  return {
    extensions,
    schemas,
    relations: relations.map((relation) => ({
      ...relation,
      totalBytes: sizes.get(relation.oid)?.totalBytes ?? null,
      heapBytes: sizes.get(relation.oid)?.heapBytes ?? null,
      columns: columns.get(relation.oid) ?? [],
      indexes: (indexes.get(relation.oid) ?? []).map(({ oid, ...rest }) => ({
        ...rest,
        sizeBytes: indexSizes.get(oid)?.sizeBytes ?? null,
      })),
      constraints: constraints.get(relation.oid) ?? [],
    })),
  };
}

/** Sizes by oid; none, with a warning, when somebody holds a table locked against being measured. */
async function measure<T extends object>(
  server: ServerConnection,
  text: string,
  log: CollectorContext<unknown>['log'],
): Promise<Map<number, T>> {
  try {
    const rows = await server.rows<T & { oid: number }>(text);
    return new Map(rows.map((row) => [row.oid, row]));
  } catch (error) {
    if ((error as { code?: string }).code !== lockNotAvailable) throw error;
    log('warn', 'sizes are left out: a table was locked for longer than the time that a lock is waited for');
    return new Map();
  }
}

function byRelation<T extends { relation: number }>(rows: readonly T[]): Map<number, Omit<T, 'relation'>[]> {
  const grouped = new Map<number, Omit<T, 'relation'>[]>();
  for (const { relation, ...rest } of rows) {
    const list = grouped.get(relation);
    if (list) list.push(rest);
    else grouped.set(relation, [rest]);
  }
  return grouped;
}
