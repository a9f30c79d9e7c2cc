import type { WorkloadEvent } from '../event.js';
import type { Template } from '../sql/templates.js';
import type { LogRecord } from './record.js';
import { isTransaction } from './session.js';

/** The event that a record ends, as if all went well. */
export function eventOf(
  record: LogRecord,
  known: Pick<
    WorkloadEvent,
    'transaction' | 'sql' | 'startedUs' | 'durationUs' | 'protocol' | 'parameters'
  > & { template: Template },
): WorkloadEvent {
  const { template, durationUs } = known;
  return {
    session: record.session,
    line: record.line,
    transaction: known.transaction,
    startedUs: known.startedUs,
    durationUs: durationUs === null ? null : Math.max(0, durationUs),
    kind: template.kind,
    protocol: known.protocol,
    statementName: null,
    fingerprint: template.fingerprint,
    template: template.text,
    sql: known.sql,
    parameters: known.parameters,
    preparedSql: null,
    rows: null,
    outcome: 'ok',
    sqlstate: null,
    message: null,
    user: record.user,
    database: record.database,
    application: record.application,
    pid: record.pid,
    vxid: isTransaction(record.vxid) ? record.vxid : null,
    txid: record.txid === 0 ? null : record.txid,
  };
}
