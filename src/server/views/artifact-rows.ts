import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { InputError } from '../../base/index.js';
import { withDuckDb } from '../../duckdb/index.js';
import type { StoredArtifact } from '../../store/index.js';
import type { artifactRows } from '../schemas/artifact.js';

type Rows = z.infer<typeof artifactRows>;
interface Page {
  limit: number;
  offset: number;
}

const jsonLimitBytes = 64 * 1024 * 1024;
const queryMs = 20_000;

/** Some rows of an artifact. A JSON document that is no list is one row. */
export async function readArtifactRows({ row, path }: StoredArtifact, page: Page): Promise<Rows> {
  if (row.format === 'parquet') return await readParquet(path, page);
  if (row.format !== 'json')
    throw new InputError(`artifact ${row.id} has no rows: its format is ${row.format}`);
  if (row.bytes > jsonLimitBytes) {
    throw new InputError(`artifact ${row.id} has ${row.bytes} bytes of JSON: too much to page through`, {
      hint: 'Download it instead.',
    });
  }
  return readJsonRows(JSON.parse(await readFile(path, 'utf8')), page);
}

async function readParquet(path: string, page: Page): Promise<Rows> {
  const signal = AbortSignal.timeout(queryMs);
  return await withDuckDb({ memoryBytes: 256 * 1024 * 1024 }, async (db) => {
    const described = await db.query('describe select * from read_parquet(?)', [path], { signal });
    const counted = await db.query('select count(*) as total from read_parquet(?)', [path], { signal });
    const items = await db.query(
      'select * from read_parquet(?) limit ?::bigint offset ?::bigint',
      [path, page.limit, page.offset],
      { signal },
    );
    return {
      columns: described.map((column) => ({
        name: String(column.column_name),
        type: String(column.column_type),
      })),
      items: items.map((item) => JSON.parse(JSON.stringify(item, asJson)) as Record<string, unknown>),
      total: Number(counted[0]?.total ?? 0),
    };
  });
}

/** What JSON has no form for: large integers and bytes become text, as Postgres writes them. */
function asJson(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  return value;
}

function readJsonRows(document: unknown, { limit, offset }: Page): Rows {
  const all: unknown[] = Array.isArray(document) ? document : [document];
  const items = all
    .slice(offset, offset + limit)
    .map((item) =>
      typeof item === 'object' && item !== null && !Array.isArray(item)
        ? (item as Record<string, unknown>)
        : { value: item },
    );
  const names = new Set(items.flatMap((item) => Object.keys(item)));
  return { columns: [...names].map((name) => ({ name, type: 'JSON' })), items, total: all.length };
}
