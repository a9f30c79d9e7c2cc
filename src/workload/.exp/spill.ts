import { rm } from 'node:fs/promises';
import { withDuckDb } from '../../duckdb/index.js';

const mb = Number(process.argv[2]);
const rows = Number(process.argv[3]);
const order = process.argv[4] === 'order';
const t0 = performance.now();
try {
  await withDuckDb({ memoryBytes: mb * 1024 * 1024, spillDirectory: '/tmp/wlexp/spill' }, async (db) => {
    const w = await db.writer({ n: 'bigint', text: 'text' });
    for (let i = 0; i < rows; i++)
      w.append([rows - i, `${i}-${'x'.repeat(500)}-${Math.imul(i, 2654435761)}`]);
    console.log('appended', performance.now() - t0, process.memoryUsage().rss / 1e6);
    await w.finish('/tmp/wlexp/x.parquet', order ? { orderBy: ['n'] } : {});
    console.log('ok', performance.now() - t0, process.memoryUsage().rss / 1e6);
  });
} catch (e) {
  console.log('FAIL', String(e).slice(0, 120));
}
await rm('/tmp/wlexp/spill', { recursive: true, force: true });
