/** One message of the server's log, whatever the format it was written in. Text as logged. */
export interface LogRecord {
  /** Local time of the server's log_timezone with its abbreviation: `2026-11-21 06:37:02.003 UTC`. */
  time: string;
  user: string;
  database: string;
  pid: number;
  session: string;
  /** Number of the message within its session and log format, from 1 without holes. */
  line: number;
  /** Command tag: `PARSE`, `BIND`, `SELECT`, `idle`, … */
  tag: string;
  sessionStart: string;
  vxid: string;
  txid: number;
  severity: string;
  sqlstate: string;
  message: string;
  detail: string;
  context: string;
  /** The statement that an error belongs to; undefined where none was logged. */
  statement: string | undefined;
  application: string;
  /** Empty before version 13. */
  backendType: string;
}

/** Cuts a stream of bytes into records. Chunks may end anywhere. */
export interface RecordReader {
  /** The records completed by this chunk; undefined stands for one that could not be read. */
  push(chunk: Uint8Array): (LogRecord | undefined)[];
  /** Bytes held back because their record is not complete yet. */
  readonly pendingBytes: number;
  /** Records so far whose bytes were not valid UTF-8: unreadable characters became U+FFFD. */
  readonly replaced: number;
}
