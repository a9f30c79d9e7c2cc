import type pg from 'pg';
import type { LoadOptions, LoadReport } from '../benchmark.js';
import { BulkInsert } from '../engine/bulk-insert.js';
import { openLoaders } from '../engine/loaders.js';
import { Random } from '../engine/random.js';
import { createSchema, measureTables, writeMarker } from '../engine/schema.js';
import { type Dimensions, dimensions, expectedRows } from './dimensions.js';
import { type Constants, loadConstants } from './fields.js';
import * as rows from './rows.js';
import { bulk, createKeys, createTables, tableNames } from './tables.js';

/** Random streams of the load by what they make. */
const stream = {
  constants: 0,
  item: 1,
  warehouse: 2,
  district: 3,
  stock: 4,
  customer: 5,
  history: 6,
  orders: 7,
  lines: 8,
  counts: 9,
};

/** The constants C with which this seed was or will be loaded. */
export function constantsOfLoad(seed: number): Constants {
  return loadConstants(new Random(seed, stream.constants));
}

export async function loadTpcc(url: string, options: LoadOptions): Promise<LoadReport> {
  const { scale, seed = 1, signal, progress } = options;
  const d = dimensions(scale);
  const startedAt = performance.now();
  return await openLoaders(url, 'otto tpcc load', signal, async (clients) => {
    const [client] = clients;
    const marker = { benchmark: 'tpcc', scale, seed } as const;
    await createSchema(client, marker);
    await client.query(createTables);
    const insert = new BulkInsert(clients, { totalRows: expectedRows(d), progress, signal });
    await fill(insert, d, seed);
    await buildKeys(client, progress, signal);
    await writeMarker(client, { madeBy: 'otto', ...marker, complete: true });
    const sizes = await measureTables(client, 'tpcc', insert.counts);
    return { ...marker, seconds: (performance.now() - startedAt) / 1000, ...sizes };
  });
}

async function fill(insert: BulkInsert, d: Dimensions, seed: number): Promise<void> {
  const constants = constantsOfLoad(seed);
  const random = (what: keyof typeof stream, w = 0, district = 0) =>
    new Random(seed, stream[what], w, district);
  await insert.insert(bulk.item, rows.items(d, random('item')));
  for (let w = 1; w <= d.warehouses; w++) {
    await insert.insert(bulk.warehouse, rows.warehouse(w, d, random('warehouse', w)));
    await insert.insert(bulk.district, rows.districts(w, d, random('district', w)));
    await insert.insert(bulk.stock, rows.stock(w, d, random('stock', w)));
    for (let n = 1; n <= d.districts; n++) {
      const counts = rows.lineCounts(d, random('counts', w, n));
      await insert.insert(bulk.customer, rows.customers(w, n, d, random('customer', w, n), constants));
      await insert.insert(bulk.history, rows.history(w, n, d, random('history', w, n)));
      await insert.insert(bulk.orders, rows.orders(w, n, d, random('orders', w, n), counts));
      await insert.insert(bulk.newOrder, rows.newOrders(w, n, d));
      await insert.insert(bulk.orderLine, rows.orderLines(w, n, d, random('lines', w, n), counts));
    }
  }
  await insert.finish();
}

async function buildKeys(
  client: pg.Client,
  progress: LoadOptions['progress'],
  signal: AbortSignal | undefined,
): Promise<void> {
  const steps = [...createKeys, ...tableNames.map((name) => `ANALYZE tpcc.${name}`)];
  for (const [done, step] of steps.entries()) {
    signal?.throwIfAborted();
    progress?.({ phase: 'keys and statistics', done, total: steps.length, unit: 'statements' });
    await client.query(step);
  }
}
