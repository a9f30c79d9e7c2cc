import { captureWorkload } from '../index.js';
import { withDuckDb } from '../../duckdb/index.js';
import { rm } from 'node:fs/promises';
const [port, seconds, mode] = process.argv.slice(2);
let n = 0;
const journal = { intend: async (c: any) => c.map((x: any) => ({ id: String(n++), ...x })), resolve: async (...a: any[]) => { console.log('resolve', ...a); } };
const t0 = performance.now();
try {
const r = await captureWorkload({ url: `postgresql://postgres@127.0.0.1:${port}/postgres`, server: 'primary', seconds: Number(seconds), method: 'auto', journal, outDirectory: '/tmp/wlexp/out', progress: (p) => { if (p.phase === 'capturing' && p.done === 0) console.log('CAPTURING'); }, limits: { baselineMs: 500, readThroughSql: mode === 'sql' } });
console.log(JSON.stringify(r.manifest, null, 1).slice(0, 6000), performance.now() - t0);
await withDuckDb({}, async (db) => {
  for (const row of await db.query('select session, line, transaction as t, kind, protocol as p, statement_name as n, duration_us d, left(sql, 60) as sql, parameters, prepared_sql, outcome, sqlstate, vxid from read_parquet($1) order by session, line limit 80', [r.file])) console.log(JSON.stringify(row));
});
await rm(r.file);
} catch (e) { console.log('ERR', e, JSON.stringify(e)); }
