import { z } from 'zod';
import { InputError } from '../../../base/index.js';
import { withDatabase } from '../../../postgres/index.js';
import { type CollectorContext, defineCollector } from '../collector.js';
import { ServerConnection } from '../server-connection.js';
import { databasesSql } from './queries.js';
import { readDatabase } from './read-database.js';
import { type Catalog, catalog, type Database } from './schema.js';

/** Keys that are not known here are ignored: the format that this one continues allowed any. */
const config = z.object({
  databases: z
    .array(z.string())
    .optional()
    .describe('Only these; absent: every database that is no template'),
});

type Listed = Omit<Database, 'extensions' | 'schemas' | 'relations'>;

export const catalogCollector = defineCollector({
  type: 'CATALOG',
  summary: 'Databases, schemas, relations, columns, indexes and constraints with their definitions.',
  config,
  result: catalog,
  holdsUserData: false,
  setup: (context) => ServerConnection.open(context),
  async collect(context, server): Promise<Catalog> {
    const wanted = context.config.databases;
    const listed = await server.rows<Listed>(databasesSql);
    const unknown = wanted?.filter((name) => !listed.some((row) => row.name === name)) ?? [];
    if (unknown.length > 0) {
      throw new InputError(`CATALOG config: databases: there is no database ${unknown.join(', ')}`, {
        hint: `There are: ${listed.map(({ name }) => name).join(', ')}.`,
      });
    }
    const chosen = listed.filter(({ name }) => wanted === undefined || wanted.includes(name));
    const databases: Database[] = [];
    for (const [done, row] of chosen.entries()) {
      context.progress({ phase: 'catalog', message: row.name, done, total: chosen.length });
      databases.push({ ...row, ...(await contents(context, row)) });
    }
    return { databases };
  },
  cleanup: async (_, server) => server?.close(),
  rows: ({ databases }) => databases.reduce((sum, { relations }) => sum + relations.length, 0),
});

async function contents(
  context: CollectorContext<unknown>,
  { name, skipped }: Listed,
): Promise<Pick<Database, 'extensions' | 'schemas' | 'relations'>> {
  if (skipped !== null) {
    context.log('warn', `database ${name} is left out: ${skipped}`);
    return { extensions: [], schemas: [], relations: [] };
  }
  const server = await ServerConnection.open(context, { url: withDatabase(context.url, name) });
  try {
    return await readDatabase(server, context.log);
  } finally {
    await server.close();
  }
}
