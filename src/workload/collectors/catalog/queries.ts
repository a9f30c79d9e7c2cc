/** Schemas of users: not the system's, not those of temporary tables. */
const userSchema = `n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'`;

const userRelation = `
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ${userSchema}`;

export const databasesSql = `
  SELECT datname::text AS name, pg_get_userbyid(datdba)::text AS owner, pg_encoding_to_char(encoding)::text AS encoding,
         datcollate::text AS collation, t.spcname::text AS tablespace,
         CASE WHEN has_database_privilege(d.oid, 'connect') OR pg_has_role('pg_read_all_stats', 'usage')
              THEN pg_database_size(d.oid) END AS "sizeBytes",
         CASE WHEN NOT datallowconn THEN 'the database accepts no connections'
              WHEN NOT has_database_privilege(d.oid, 'connect') THEN 'the role may not connect to it' END AS skipped
    FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace
   WHERE NOT datistemplate ORDER BY datname`;

export const extensionsSql = `
  SELECT extname::text AS name, extversion AS version, n.nspname::text AS schema
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY extname`;

export const schemasSql = `
  SELECT n.nspname::text AS name, pg_get_userbyid(nspowner)::text AS owner,
         obj_description(n.oid, 'pg_namespace') AS comment
    FROM pg_namespace n WHERE ${userSchema} ORDER BY nspname`;

export const relationsSql = `
  SELECT c.oid::int8 AS oid, n.nspname::text AS schema, c.relname::text AS name,
         CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                        WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'sequence' END AS kind,
         CASE c.relpersistence WHEN 'p' THEN 'permanent' WHEN 'u' THEN 'unlogged' ELSE 'temporary' END AS persistence,
         pg_get_userbyid(c.relowner)::text AS owner,
         CASE WHEN c.reltuples >= 0 THEN c.reltuples END AS "rowsEstimate",
         coalesce(c.reloptions, '{}') AS options,
         ARRAY(SELECT format('%I.%I', pn.nspname, p.relname)
                 FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
                WHERE i.inhrelid = c.oid ORDER BY i.inhseqno) AS parents,
         CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS "partitionKey",
         pg_get_expr(c.relpartbound, c.oid) AS "partitionBound",
         (SELECT s.srvname::text FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver
           WHERE f.ftrelid = c.oid) AS "foreignServer",
         (SELECT e.extname::text FROM pg_depend x JOIN pg_extension e ON e.oid = x.refobjid
           WHERE x.classid = 'pg_class'::regclass AND x.objid = c.oid AND x.objsubid = 0 AND x.deptype = 'e'
             AND x.refclassid = 'pg_extension'::regclass LIMIT 1) AS extension,
         CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS "viewDefinition",
         obj_description(c.oid, 'pg_class') AS comment
  ${userRelation} ORDER BY n.nspname, c.relname`;

/** Apart from the others: measuring waits for a lock on each relation. */
export const sizesSql = `
  SELECT c.oid::int8 AS oid, pg_total_relation_size(c.oid) AS "totalBytes", pg_relation_size(c.oid) AS "heapBytes"
  ${userRelation} AND c.relkind IN ('r', 'p', 'm', 'S')`;

export const indexSizesSql = `
  SELECT x.indexrelid::int8 AS oid, pg_relation_size(x.indexrelid) AS "sizeBytes"
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE ${userSchema}`;

export const columnsSql = `
  SELECT c.oid::int8 AS relation, a.attname::text AS name, a.attnum::int4 AS position,
         format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "notNull",
         pg_get_expr(d.adbin, d.adrelid) AS default, a.attgenerated <> '' AS generated,
         CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity,
         CASE WHEN a.attcollation <> t.typcollation THEN o.collname::text END AS collation,
         nullif(a.attstattarget, -1)::int4 AS "statisticsTarget",
         col_description(c.oid, a.attnum) AS comment
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_collation o ON o.oid = a.attcollation
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${userSchema} AND a.attnum > 0 AND NOT a.attisdropped
   ORDER BY c.oid, a.attnum`;

export const indexesSql = `
  SELECT x.indrelid::int8 AS relation, i.oid::int8 AS oid, i.relname::text AS name,
         pg_get_indexdef(i.oid) AS definition, m.amname::text AS method,
         ARRAY(SELECT a.attname::text FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k(attnum, ordinal)
                 LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
                ORDER BY k.ordinal) AS columns,
         x.indnkeyatts::int4 AS "keyColumns", x.indisunique AS unique, x.indisprimary AS primary,
         x.indisvalid AS valid, pg_get_expr(x.indpred, x.indrelid) AS predicate,
         (SELECT k.conname::text FROM pg_constraint k
           WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x') LIMIT 1) AS constraint
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam
    JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE ${userSchema} ORDER BY x.indrelid, i.relname`;

export const constraintsSql = `
  SELECT k.conrelid::int8 AS relation, k.conname::text AS name,
         CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'f' THEN 'foreign key' WHEN 'u' THEN 'unique'
                        WHEN 'c' THEN 'check' WHEN 'x' THEN 'exclusion' WHEN 'n' THEN 'not null'
                        ELSE 'trigger' END AS type,
         pg_get_constraintdef(k.oid) AS definition, k.convalidated AS validated,
         CASE WHEN k.contype = 'f' THEN format('%I.%I', rn.nspname, r.relname) END AS references
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_class r ON r.oid = k.confrelid LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
   WHERE ${userSchema} ORDER BY k.conrelid, k.contype, k.conname`;
