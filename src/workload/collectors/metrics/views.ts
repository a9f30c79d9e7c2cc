/**
 * `counter`: only grows until it is reset, so a difference means something. `gauge`: as it is now. `label`: tells rows
 * apart or describes them.
 */
export type ColumnKind = 'counter' | 'gauge' | 'label';

export interface StatisticsView {
  name: string;
  /** Columns that identify a row; none for views of one row. */
  key: readonly string[];
  /** Numeric columns that are no counters. Every other numeric column is one. */
  gauges?: readonly string[];
  /** Numeric columns that are neither, such as process ids. */
  labels?: readonly string[];
  /** Column whose change tells of a reset. */
  reset?: string;
  /** What to read instead of the view itself. */
  from?: string;
  /** Column that must not decide rows' identity nor be shown, such as query texts. */
  without?: readonly string[];
}

const relation = ['relid', 'schemaname', 'relname'];
const index = ['relid', 'indexrelid', 'schemaname', 'relname', 'indexrelname'];
const ownTables = `WHERE schemaname !~ '^pg_(toast|temp)'`;

/** The cumulative statistics views of PostgreSQL 13 to 18, and what of them is no counter. */
export const statisticsViews: readonly StatisticsView[] = [
  { name: 'pg_stat_database', key: ['datid', 'datname'], gauges: ['numbackends'], reset: 'stats_reset' },
  { name: 'pg_stat_database_conflicts', key: ['datid', 'datname'] },
  { name: 'pg_stat_bgwriter', key: [], reset: 'stats_reset' },
  { name: 'pg_stat_checkpointer', key: [], reset: 'stats_reset' },
  { name: 'pg_stat_wal', key: [], reset: 'stats_reset' },
  {
    name: 'pg_stat_io',
    key: ['backend_type', 'object', 'context'],
    gauges: ['op_bytes'],
    reset: 'stats_reset',
  },
  { name: 'pg_stat_slru', key: ['name'], reset: 'stats_reset' },
  { name: 'pg_stat_archiver', key: [], reset: 'stats_reset' },
  {
    name: 'pg_stat_replication',
    key: ['pid', 'application_name'],
    gauges: ['sync_priority', 'write_lag', 'flush_lag', 'replay_lag'],
    labels: ['pid', 'usesysid', 'client_port', 'backend_xmin'],
    from: `(SELECT pid, application_name, usename, client_addr::text, backend_start, state, sync_state, sync_priority,
                   sent_lsn - '0/0'::pg_lsn AS sent_bytes, write_lsn - '0/0'::pg_lsn AS written_bytes,
                   flush_lsn - '0/0'::pg_lsn AS flushed_bytes, replay_lsn - '0/0'::pg_lsn AS replayed_bytes,
                   extract(epoch FROM write_lag) AS write_lag, extract(epoch FROM flush_lag) AS flush_lag,
                   extract(epoch FROM replay_lag) AS replay_lag
              FROM pg_stat_replication) AS replication`,
  },
  { name: 'pg_stat_replication_slots', key: ['slot_name'], reset: 'stats_reset' },
  {
    name: 'pg_stat_wal_receiver',
    key: ['pid'],
    labels: ['receive_start_tli', 'received_tli', 'sender_port'],
    from: `(SELECT pid, status, slot_name, sender_host, sender_port, receive_start_tli, received_tli,
                   flushed_lsn - '0/0'::pg_lsn AS flushed_bytes, written_lsn - '0/0'::pg_lsn AS written_bytes,
                   last_msg_send_time, last_msg_receipt_time, latest_end_time
              FROM pg_stat_wal_receiver) AS receiver`,
  },
  { name: 'pg_stat_subscription_stats', key: ['subid', 'subname'], reset: 'stats_reset' },
  {
    name: 'pg_stat_recovery_prefetch',
    key: [],
    gauges: ['wal_distance', 'block_distance', 'io_depth'],
    reset: 'stats_reset',
  },
  {
    name: 'pg_stat_user_tables',
    key: relation,
    gauges: ['n_live_tup', 'n_dead_tup', 'n_mod_since_analyze', 'n_ins_since_vacuum'],
    from: `(SELECT * FROM pg_stat_user_tables ${ownTables}) AS tables`,
  },
  {
    name: 'pg_statio_user_tables',
    key: relation,
    from: `(SELECT * FROM pg_statio_user_tables ${ownTables}) AS tables`,
  },
  {
    name: 'pg_stat_user_indexes',
    key: index,
    from: `(SELECT * FROM pg_stat_user_indexes ${ownTables}) AS indexes`,
  },
  {
    name: 'pg_statio_user_indexes',
    key: index,
    from: `(SELECT * FROM pg_statio_user_indexes ${ownTables}) AS indexes`,
  },
  { name: 'pg_statio_user_sequences', key: relation },
  { name: 'pg_stat_user_functions', key: ['funcid', 'schemaname', 'funcname'] },
  {
    name: 'pg_stat_statements',
    key: ['userid', 'dbid', 'queryid', 'toplevel'],
    gauges: [
      'min_plan_time',
      'max_plan_time',
      'mean_plan_time',
      'stddev_plan_time',
      'min_exec_time',
      'max_exec_time',
      'mean_exec_time',
      'stddev_exec_time',
    ],
    reset: 'stats_since',
    without: ['query'],
  },
  { name: 'pg_stat_statements_info', key: [], reset: 'stats_reset' },
  {
    name: 'pg_stat_activity',
    key: ['backend_type', 'state', 'wait_event_type'],
    gauges: ['backends', 'oldest_transaction_seconds'],
    from: `(SELECT backend_type, state, wait_event_type, count(*) AS backends,
                   extract(epoch FROM max(now() - xact_start)) AS oldest_transaction_seconds
              FROM pg_stat_activity WHERE pid <> pg_backend_pid() GROUP BY 1, 2, 3) AS activity`,
  },
];

export function kindOf(view: StatisticsView, column: string, numeric: boolean): ColumnKind {
  if (view.key.includes(column) || view.labels?.includes(column) || !numeric) return 'label';
  return view.gauges?.includes(column) ? 'gauge' : 'counter';
}
