const userSchema = `n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'`;

const fillFactor = (fallback: number, relation: string) =>
  `coalesce((SELECT option_value::int FROM pg_options_to_table(${relation}.reloptions)
              WHERE option_name = 'fillfactor'), ${fallback})`;

/**
 * Sizes as they are, which waits for a lock on each table, or as the last VACUUM or ANALYZE counted the pages.
 */
export type Sizes = 'measured' | 'counted';

const pages = (relation: string) => `${relation}.relpages::int8 * current_setting('block_size')::int`;

const countedSizes = `
         ${pages('c')} AS "heapBytes", coalesce(${pages('toast')}, 0) AS "toastBytes",
         own.bytes AS "indexBytes", ${pages('c')} + coalesce(${pages('toast')}, 0) + own.bytes AS "totalBytes",`;
const measuredSizes = `
         pg_relation_size(c.oid) AS "heapBytes",
         pg_table_size(c.oid) - pg_relation_size(c.oid) AS "toastBytes",
         pg_indexes_size(c.oid) AS "indexBytes", pg_total_relation_size(c.oid) AS "totalBytes",`;

export const tablesSql = (sizes: Sizes) => `
  SELECT c.oid::int8 AS oid, n.nspname::text AS schema, c.relname::text AS name,
         CASE c.relkind WHEN 'r' THEN 'table' ELSE 'materialized view' END AS kind,
         CASE WHEN c.reltuples >= 0 THEN c.reltuples END AS "rowsEstimate",
         ${sizes === 'measured' ? measuredSizes : countedSizes}
         s.seq_scan AS "sequentialScans", s.seq_tup_read AS "rowsReadSequentially",
         s.idx_scan AS "indexScans", s.idx_tup_fetch AS "rowsFetchedByIndex",
         s.n_tup_ins AS "rowsInserted", s.n_tup_upd AS "rowsUpdated", s.n_tup_hot_upd AS "rowsUpdatedInPlace",
         s.n_tup_del AS "rowsDeleted", s.n_live_tup AS "liveRows", s.n_dead_tup AS "deadRows",
         s.n_mod_since_analyze AS "modifiedSinceAnalyze", s.last_vacuum AS "lastVacuum",
         s.last_autovacuum AS "lastAutovacuum", s.last_analyze AS "lastAnalyze",
         s.last_autoanalyze AS "lastAutoanalyze", age(c.relfrozenxid)::int8 AS "frozenXidAge",
         ${fillFactor(100, 'c')} AS "fillFactor", am.amname::text AS "accessMethod"
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_am am ON am.oid = c.relam
    LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid
   CROSS JOIN LATERAL (SELECT coalesce(sum(${pages('i')}), 0)::int8 AS bytes
                         FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid) own
    LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
   WHERE c.relkind IN ('r', 'm') AND ${userSchema} ORDER BY n.nspname, c.relname`;

/** Of tables and of indexes: an index's columns are those of its keys, expressions included. */
export const widthsSql = `
  SELECT a.attrelid::int8 AS relation, a.attnum::int4 AS position, t.typlen > 0 AS "fixedLength",
         CASE t.typalign WHEN 'c' THEN 1 WHEN 's' THEN 2 WHEN 'i' THEN 4 ELSE 8 END AS alignment,
         s.avg_width::int4 AS "averageBytes", s.null_frac AS "nullShare", s.n_distinct AS distinct
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_index x ON x.indexrelid = c.oid
    -- A key that is a plain column of the table has the table's statistics, an expression those of the index.
    LEFT JOIN LATERAL (SELECT x.indkey[a.attnum - 1] AS of_table) k ON true
    LEFT JOIN pg_class sc ON sc.oid = CASE WHEN k.of_table > 0 THEN x.indrelid ELSE c.oid END
    LEFT JOIN pg_attribute sa ON sa.attrelid = sc.oid AND sa.attnum = CASE WHEN k.of_table > 0 THEN k.of_table ELSE a.attnum END
    LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = sc.relname AND s.attname = sa.attname
                        AND NOT s.inherited
   WHERE c.relkind IN ('r', 'm', 'i') AND ${userSchema} AND a.attnum > 0 AND NOT a.attisdropped
   ORDER BY a.attrelid, a.attnum`;

export const indexesSql = (sizes: Sizes, hasLastScan: boolean) => `
  SELECT i.oid::int8 AS oid, n.nspname::text AS schema, c.relname::text AS table, i.relname::text AS name,
         m.amname::text AS method, x.indisunique AS unique, x.indisvalid AS valid,
         ${sizes === 'measured' ? 'pg_relation_size(i.oid)' : pages('i')} AS "sizeBytes", s.idx_scan AS scans, s.idx_tup_read AS "entriesRead",
         s.idx_tup_fetch AS "rowsFetched", ${hasLastScan ? 's.last_idx_scan' : 'NULL::timestamptz'} AS "lastScan",
         i.reltuples AS rows, ${fillFactor(90, 'i')} AS "fillFactor"
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam
    JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = i.oid
   WHERE i.relkind = 'i' AND ${userSchema} ORDER BY n.nspname, c.relname, i.relname`;

export const columnsSql = (withValues: boolean) => `
  SELECT schemaname::text AS schema, tablename::text AS table, attname::text AS column, inherited,
         null_frac AS "nullShare", avg_width::int4 AS "averageBytes", n_distinct AS distinct, correlation,
         coalesce(cardinality(most_common_freqs), 0) AS "commonValues",
         coalesce((SELECT sum(share) FROM unnest(most_common_freqs) AS share), 0) AS "commonShare",
         coalesce(array_length(histogram_bounds, 1), 0) AS "histogramBounds"
         ${withValues ? ', most_common_vals::text AS "mostCommonValues", most_common_freqs AS "mostCommonShares", histogram_bounds::text AS histogram' : ''}
    FROM pg_stats s
   WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_(toast|temp)'
   ORDER BY 1, 2, 3, 4`;
