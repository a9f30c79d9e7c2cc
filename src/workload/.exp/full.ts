import { execa } from 'execa';
import { readdirSync, readFileSync } from 'node:fs';
import { captureWorkload } from '../index.js';
let n = 0, drive: any; const open = new Set<string>();
const journal = { intend: async (c: any) => c.map((x: any) => { const id = String(n++); open.add(id); return { id, ...x }; }), resolve: async (id: string) => { open.delete(id); } };
const stop = new AbortController();
try {
  await captureWorkload({ url: `postgresql://postgres@127.0.0.1:55415/postgres`, server: 'primary', seconds: 60, method: 'auto', journal, outDirectory: '/tmp/wlexp/small', limits: { baselineMs: 1, memoryBytes: Number(process.argv[2]) * 1024 * 1024, minimumFreeBytes: Number(process.argv[3]) }, progress: (p) => { if (p.phase === 'capturing' && !drive) drive = execa('/usr/lib/postgresql/15/bin/pgbench', ['-h', '/tmp/wlexp', '-p', '55415', '-U', 'postgres', '-n', '-c', '4', '-T', '8', 'bench'], { cancelSignal: stop.signal, reject: false }); } });
  console.log('no error?');
} catch (e: any) { console.log('ERR', e.code, e.message.slice(0, 200), '|', e.hint); }
stop.abort(); await drive;
console.log('open', open.size, readdirSync('/tmp/wlexp/small'), readFileSync('/tmp/wlexp/d15/postgresql.auto.conf', 'utf8'));
