import type { LogRecord } from './record.js';

/** A record of a client with everything a test does not care about filled in. */
export function record(values: Partial<LogRecord> & { line: number }): LogRecord {
  return {
    time: '2026-03-01 12:00:00.500 UTC',
    user: 'app',
    database: 'shop',
    pid: 4711,
    session: '65a0.1267',
    tag: 'SELECT',
    sessionStart: '2026-03-01 11:59:59 UTC',
    vxid: '3/0',
    txid: 0,
    severity: 'LOG',
    sqlstate: '',
    message: '',
    detail: '',
    context: '',
    statement: undefined,
    application: 'shop',
    backendType: 'client backend',
    ...values,
  };
}

/** A record as the server writes it to jsonlog. */
export function jsonLine(r: LogRecord): string {
  return `${JSON.stringify({
    timestamp: r.time,
    user: r.user,
    dbname: r.database,
    pid: r.pid,
    remote_host: '[local]',
    session_id: r.session,
    line_num: r.line,
    ps: r.tag,
    session_start: r.sessionStart,
    vxid: r.vxid,
    txid: r.txid,
    error_severity: r.severity,
    ...(r.sqlstate && { state_code: r.sqlstate }),
    message: r.message,
    ...(r.detail && { detail: r.detail }),
    ...(r.context && { context: r.context }),
    ...(r.statement !== undefined && { statement: r.statement }),
    application_name: r.application,
    backend_type: r.backendType,
    query_id: 0,
  })}\n`;
}

/** A record as the server writes it to csvlog: 23 columns in version 12, 24 in 13, 26 since 14. */
export function csvLine(r: LogRecord, columns: 23 | 24 | 26 = 26): string {
  const quoted = (text: string | undefined) => (text === undefined ? '' : `"${text.replaceAll('"', '""')}"`);
  const given = (text: string) => (text === '' ? '' : quoted(text));
  const fields = [
    r.time,
    quoted(r.user),
    quoted(r.database),
    r.pid,
    '"[local]"',
    r.session,
    r.line,
    quoted(r.tag),
    r.sessionStart,
    r.vxid,
    r.txid,
    r.severity,
    r.sqlstate || '00000',
    given(r.message),
    given(r.detail),
    '',
    '',
    '',
    given(r.context),
    quoted(r.statement),
    '',
    '',
    quoted(r.application),
    quoted(r.backendType),
    '',
    0,
  ];
  return `${fields.slice(0, columns).join(',')}\n`;
}
