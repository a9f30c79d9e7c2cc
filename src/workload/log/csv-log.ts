import type { LogRecord, RecordReader } from './record.js';
import { decode, PendingBytes } from './text.js';

/** Columns of csvlog: 23 in version 12, backend_type since 13, leader_pid and query_id since 14. */
const columnCounts = new Set([23, 24, 26]);

/** Reads csvlog (PostgreSQL 12–18): a record is a line unless its end stands inside quotes. */
export class CsvLogReader implements RecordReader {
  readonly #pending = new PendingBytes();
  #quoted = false;
  #replaced = 0;

  get pendingBytes(): number {
    return this.#pending.length;
  }

  get replaced(): number {
    return this.#replaced;
  }

  push(chunk: Uint8Array): (LogRecord | undefined)[] {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const records: (LogRecord | undefined)[] = [];
    let from = 0;
    let quoted = this.#quoted;
    for (let i = 0; i < buffer.length; i++) {
      const byte = buffer[i];
      if (byte === 34) {
        // A doubled quote flips twice and so changes nothing.
        quoted = !quoted;
      } else if (byte === 10 && !quoted) {
        const line = this.#pending.take(buffer.subarray(from, i));
        if (line.length > 0) records.push(this.#read(line));
        from = i + 1;
      }
    }
    this.#quoted = quoted;
    this.#pending.add(Buffer.from(buffer.subarray(from)));
    return records;
  }

  #read(line: Buffer): LogRecord | undefined {
    const { text, replaced } = decode(line);
    if (replaced) this.#replaced++;
    const fields = splitCsv(text);
    return fields && columnCounts.has(fields.length) ? toRecord(fields) : undefined;
  }
}

/** The fields of one record: an unquoted empty field is undefined (no value), a quoted one is ''. */
export function splitCsv(line: string): (string | undefined)[] | undefined {
  const fields: (string | undefined)[] = [];
  let i = 0;
  for (;;) {
    if (line.charCodeAt(i) === 34) {
      let end = i + 1;
      for (;;) {
        end = line.indexOf('"', end);
        if (end < 0) return undefined;
        if (line.charCodeAt(end + 1) !== 34) break;
        end += 2;
      }
      const text = line.slice(i + 1, end);
      fields.push(text.includes('"') ? text.replaceAll('""', '"') : text);
      i = end + 1;
    } else {
      let end = line.indexOf(',', i);
      if (end < 0) end = line.length;
      fields.push(end === i ? undefined : line.slice(i, end));
      i = end;
    }
    if (i >= line.length) return fields;
    if (line.charCodeAt(i) !== 44) return undefined;
    i++;
  }
}

function toRecord(fields: (string | undefined)[]): LogRecord | undefined {
  const [time, session, line] = [fields[0], fields[5], Number(fields[6])];
  if (time === undefined || session === undefined || !Number.isInteger(line)) return undefined;
  return {
    time,
    user: fields[1] ?? '',
    database: fields[2] ?? '',
    pid: Number(fields[3] ?? 0),
    session,
    line,
    tag: fields[7] ?? '',
    sessionStart: fields[8] ?? '',
    vxid: fields[9] ?? '',
    txid: Number(fields[10] ?? 0),
    severity: fields[11] ?? '',
    sqlstate: fields[12] === '00000' ? '' : (fields[12] ?? ''),
    message: fields[13] ?? '',
    detail: fields[14] ?? '',
    context: fields[18] ?? '',
    statement: fields[19],
    application: fields[22] ?? '',
    backendType: fields[23] ?? '',
  };
}
