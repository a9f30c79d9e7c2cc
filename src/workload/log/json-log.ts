import type { LogRecord, RecordReader } from './record.js';
import { decode, PendingBytes } from './text.js';

/** Reads jsonlog (PostgreSQL 15 and newer): one JSON object a line; keys without a value are left out. */
export class JsonLogReader implements RecordReader {
  readonly #pending = new PendingBytes();
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
    for (;;) {
      const end = buffer.indexOf(10, from);
      if (end < 0) break;
      const line = this.#pending.take(buffer.subarray(from, end));
      if (line.length > 0) records.push(this.#read(line));
      from = end + 1;
    }
    // The caller may use its chunk again.
    this.#pending.add(Buffer.from(buffer.subarray(from)));
    return records;
  }

  #read(line: Buffer): LogRecord | undefined {
    const { text, replaced } = decode(line);
    if (replaced) this.#replaced++;
    try {
      return toRecord(JSON.parse(text) as JsonLine);
    } catch {
      return undefined;
    }
  }
}

interface JsonLine {
  timestamp?: string;
  user?: string;
  dbname?: string;
  pid?: number;
  session_id?: string;
  line_num?: number;
  ps?: string;
  session_start?: string;
  vxid?: string;
  txid?: number;
  error_severity?: string;
  state_code?: string;
  message?: string;
  detail?: string;
  context?: string;
  statement?: string;
  application_name?: string;
  backend_type?: string;
}

function toRecord(line: JsonLine): LogRecord | undefined {
  if (
    typeof line?.timestamp !== 'string' ||
    typeof line.session_id !== 'string' ||
    typeof line.line_num !== 'number'
  ) {
    return undefined;
  }
  return {
    time: line.timestamp,
    user: line.user ?? '',
    database: line.dbname ?? '',
    pid: line.pid ?? 0,
    session: line.session_id,
    line: line.line_num,
    tag: line.ps ?? '',
    sessionStart: line.session_start ?? '',
    vxid: line.vxid ?? '',
    txid: line.txid ?? 0,
    severity: line.error_severity ?? '',
    sqlstate: line.state_code ?? '',
    message: line.message ?? '',
    detail: line.detail ?? '',
    context: line.context ?? '',
    statement: line.statement,
    application: line.application_name ?? '',
    backendType: line.backend_type ?? '',
  };
}
