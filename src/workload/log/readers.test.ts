import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsvLogReader } from './csv-log.js';
import { JsonLogReader } from './json-log.js';
import { csvLine, jsonLine, record } from './log.fixtures.js';
import type { LogRecord, RecordReader } from './record.js';

// Written by real servers.
const golden = {
  json18: `{"timestamp":"2026-11-21 06:37:02.525 UTC","user":"postgres","dbname":"postgres","pid":7974,"remote_host":"[local]","session_id":"6b013c0e.1f26","line_num":7,"ps":"SELECT","session_start":"2026-11-21 06:37:02 UTC","vxid":"1/3","txid":0,"error_severity":"LOG","message":"duration: 0.007 ms  execute <unnamed>: select $1::text as x, $2::int, $3::text","detail":"Parameters: $1 = 'it''s, $2 = ''q''\\nnew \\\\ line', $2 = '5', $3 = NULL","application_name":"drv","backend_type":"client backend","query_id":0}\n`,
  csv15: `2026-11-21 06:37:01.499 UTC,"postgres","postgres",7960,"[local]",6b013c0d.1f18,6,"SELECT",2026-11-21 06:37:01 UTC,4/3,0,LOG,00000,"duration: 0.007 ms  execute <unnamed>: select $1::text as x, $2::int, $3::text","parameters: $1 = 'it''s, $2 = ''q''\nnew \\ line', $2 = '5', $3 = NULL",,,,,,,,"drv","client backend",,0\n`,
  csv15Error: `2026-11-21 06:37:01.502 UTC,"postgres","postgres",7960,"[local]",6b013c0d.1f18,20,"BIND",2026-11-21 06:37:01 UTC,4/7,0,ERROR,22P02,"invalid input syntax for type integer: ""zz""",,,,,"unnamed portal parameter $1 = 'zz'","select $1::int",,,"drv","client backend",,0\n`,
};

function readAll(reader: RecordReader, ...chunks: (string | Uint8Array)[]): (LogRecord | undefined)[] {
  return chunks.flatMap((chunk) => reader.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
}

describe('records of real servers', () => {
  it('are read from jsonlog', () => {
    const [found] = readAll(new JsonLogReader(), golden.json18);
    expect(found).toMatchObject({
      session: '6b013c0e.1f26',
      line: 7,
      vxid: '1/3',
      severity: 'LOG',
      message: 'duration: 0.007 ms  execute <unnamed>: select $1::text as x, $2::int, $3::text',
      detail: "Parameters: $1 = 'it''s, $2 = ''q''\nnew \\ line', $2 = '5', $3 = NULL",
      statement: undefined,
    });
  });

  it('are read from csvlog', () => {
    const found = readAll(new CsvLogReader(), golden.csv15, golden.csv15Error);
    expect(found[0]).toMatchObject({
      line: 6,
      sqlstate: '',
      detail: "parameters: $1 = 'it''s, $2 = ''q''\nnew \\ line', $2 = '5', $3 = NULL",
      application: 'drv',
      backendType: 'client backend',
    });
    expect(found[1]).toMatchObject({
      sqlstate: '22P02',
      message: 'invalid input syntax for type integer: "zz"',
      context: "unnamed portal parameter $1 = 'zz'",
      statement: 'select $1::int',
    });
  });
});

const text = fc.string({
  unit: fc.constantFrom('a', '"', "'", ',', '\n', '\r', '\\', 'ü', '😀', '\u0000', '$1 = ', ' '),
});
const anyRecord = fc
  .record({
    message: text,
    detail: text,
    context: text,
    statement: fc.option(text, { nil: undefined }),
    application: text,
  })
  .map((values) => record({ line: 1, ...values }));

/** Cuts bytes at any places, also inside characters. */
const cuts = fc.array(fc.nat(), { maxLength: 12 });
function cut(bytes: Buffer, at: number[]): Buffer[] {
  const places = [...new Set(at.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
}

describe('records cut anywhere', () => {
  it('are the same in jsonlog', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 5 }), cuts, (records, at) => {
        const bytes = Buffer.from(records.map(jsonLine).join(''));
        expect(readAll(new JsonLogReader(), ...cut(bytes, at))).toEqual(records);
      }),
    );
  });

  it.each([23, 24, 26] as const)('are the same in csvlog of %i columns', (columns) => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 5 }), cuts, (records, at) => {
        const bytes = Buffer.from(records.map((one) => csvLine(one, columns)).join(''));
        const expected = records.map((one) => ({
          ...one,
          backendType: columns === 23 ? '' : one.backendType,
        }));
        expect(readAll(new CsvLogReader(), ...cut(bytes, at))).toEqual(expected);
      }),
    );
  });
});

describe.each([
  { name: 'jsonlog', reader: () => new JsonLogReader(), line: jsonLine },
  { name: 'csvlog', reader: () => new CsvLogReader(), line: csvLine },
])('$name', ({ reader, line }) => {
  const good = record({ line: 1, message: 'one\ntwo' });

  it('holds back a record that is not complete', () => {
    const one = reader();
    const bytes = line(good);
    expect(readAll(one, bytes.slice(0, 50))).toEqual([]);
    expect(one.pendingBytes).toBe(50);
    expect(readAll(one, bytes.slice(50))).toEqual([good]);
    expect(one.pendingBytes).toBe(0);
  });

  it('goes on after a record that cannot be read', () => {
    expect(readAll(reader(), 'no record at all\n', line(good))).toEqual([undefined, good]);
    expect(readAll(reader(), '{"timestamp": 7}\n', line(good))).toEqual([undefined, good]);
  });

  it('counts records that are not UTF-8 and reads them all the same', () => {
    const one = reader();
    const [found] = readAll(one, Buffer.from(line(record({ line: 1, message: 'caf\u00e9' })), 'latin1'));
    expect(found?.message).toBe('caf\ufffd');
    expect(one.replaced).toBe(1);
  });
});
