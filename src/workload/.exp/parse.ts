import { createReadStream, readdirSync } from 'node:fs';
import { JsonLogReader } from '../log/json-log.js';
import { CsvLogReader } from '../log/csv-log.js';
import { Assembler } from '../log/assembler.js';
import { LogZone } from '../log/zone.js';
import { Templates } from '../sql/templates.js';
import { csvLine } from '../log/log.fixtures.js';
const dir = '/tmp/wlexp/d15/log/'; const fs = readdirSync(dir).filter((f) => f.endsWith('.json')).sort();
const templates = await Templates.load();
const chunks: Buffer[] = []; for (const f of fs) for await (const c of createReadStream(dir + f, { highWaterMark: 1 << 20 })) chunks.push(c as Buffer);
const csv: Buffer[] = []; { const r = new JsonLogReader(); for (const c of chunks) csv.push(Buffer.from(r.push(c).map((x) => csvLine(x!)).join(''))); }
for (const [name, cs, mk] of [['json', chunks, () => new JsonLogReader()], ['csv', csv, () => new CsvLogReader()]] as const) for (let k = 0; k < 2; k++) {
  let bytes = 0, records = 0, events = 0; const r = mk();
  const a = new Assembler({ templates, zone: new LogZone(new Map([['UTC', 0]])), isOwn: (x) => x.application.startsWith('ottopilot'), emit: () => events++ });
  a.begin(); const t = performance.now(); let tr = 0;
  for (const c of cs) { bytes += c.length; const t1 = performance.now(); const recs = r.push(c); tr += performance.now() - t1; for (const x of recs) { records++; a.push(x!); } }
  a.end(); const s = (performance.now() - t) / 1000;
  console.log(name, { MB: bytes / 1e6, records, events, s, readS: tr / 1000, recordsPerS: Math.round(records / s), eventsPerS: Math.round(events / s), MBs: bytes / 1e6 / s });
}
