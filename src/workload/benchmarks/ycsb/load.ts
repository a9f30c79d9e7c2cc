import { InputError } from '../../../base/index.js';
import type { LoadOptions, LoadReport } from '../benchmark.js';
import { BulkInsert, type Cell } from '../engine/bulk-insert.js';
import { openLoaders } from '../engine/loaders.js';
import { Random } from '../engine/random.js';
import { createSchema, measureTables, writeMarker } from '../engine/schema.js';
import { keyOf } from './keys.js';
import { bulkTable, createTables, fieldCount, fieldValue } from './table.js';

export const scaleHelp = 'Thousands of records of about 1 kB each, from 0.1 up.';

export function recordsAt(scale: number): number {
  if (scale >= 0.1 && scale <= 1_000_000) return Math.round(scale * 1000);
  throw new InputError(`ycsb: scale ${scale} is not possible`, { hint: scaleHelp });
}

export async function loadYcsb(url: string, options: LoadOptions): Promise<LoadReport> {
  const { scale, seed = 1, signal, progress } = options;
  const records = recordsAt(scale);
  const startedAt = performance.now();
  return await openLoaders(url, 'otto ycsb load', signal, async (clients) => {
    const [client] = clients;
    const marker = { benchmark: 'ycsb', scale, seed } as const;
    await createSchema(client, marker);
    await client.query(createTables);
    const insert = new BulkInsert(clients, { totalRows: records, progress, signal });
    await insert.insert(bulkTable, rows(records, new Random(seed)));
    await insert.finish();
    progress?.({ phase: 'keys and statistics' });
    await client.query('ALTER TABLE ycsb.usertable ADD PRIMARY KEY (ycsb_key)');
    await client.query(`SELECT setval('ycsb.record_number', $1, false)`, [records]);
    await client.query('ANALYZE ycsb.usertable');
    await writeMarker(client, { madeBy: 'otto', ...marker, complete: true });
    const sizes = await measureTables(client, 'ycsb', insert.counts);
    return { ...marker, seconds: (performance.now() - startedAt) / 1000, ...sizes };
  });
}

function* rows(records: number, random: Random): Generator<Cell[]> {
  for (let record = 0; record < records; record++) {
    const row: Cell[] = [keyOf(record)];
    for (let field = 0; field < fieldCount; field++) row.push(fieldValue(random));
    yield row;
  }
}
