import type pg from 'pg';

export interface ServerInfo {
  /** Such as `18.4`. */
  version: string;
  major: number;
  /** Whether it is a standby (in recovery). */
  isStandby: boolean;
  isSuperuser: boolean;
  /** Whether the role may use the replication protocol; pg_hba.conf may still forbid it. */
  mayReplicate: boolean;
  /** Predefined roles (`pg_monitor`, `pg_read_all_settings` …) that our role has. */
  roles: string[];
  /** Null where the role may not know it. */
  dataDirectory: string | null;
  /** All databases that we may measure. */
  sizeBytes: number;
  databases: { name: string; sizeBytes: number | null }[];
  loggingCollector: boolean;
  startedAt: Date;
  /** The same for a primary and its standbys; null where the role may not know it. */
  systemIdentifier: string | null;
  /** Without pg_default and pg_global. */
  tablespaces: { oid: number; name: string; location: string }[];
  port: number;
  maxConnections: number;
  /** Role that initdb made: the owner of the catalogs. */
  bootstrapSuperuser: string;
}

const serverSql = `
  select current_setting('server_version') as version,
         current_setting('server_version_num')::int / 10000 as major,
         pg_is_in_recovery() as is_standby,
         current_setting('is_superuser') = 'on' as is_superuser,
         (select rolreplication or rolsuper from pg_roles where rolname = current_user) as may_replicate,
         (select coalesce(array_agg(rolname::text order by rolname), '{}') from pg_roles
           where rolname like 'pg\\_%' and pg_has_role(oid, 'usage')) as roles,
         case when pg_has_role('pg_read_all_settings', 'usage') then current_setting('data_directory') end
           as data_directory,
         current_setting('logging_collector') = 'on' as logging_collector,
         pg_postmaster_start_time() as started_at,
         current_setting('port')::int as port,
         current_setting('max_connections')::int as max_connections,
         has_function_privilege('pg_control_system()', 'execute') as may_read_control,
         (select rolname::text from pg_roles where oid = 10) as bootstrap_superuser`;

const databasesSql = `
  select datname::text as name,
         case when has_database_privilege(oid, 'connect') or pg_has_role('pg_read_all_stats', 'usage')
              then pg_database_size(oid)::float8 end as "sizeBytes"
    from pg_database
   where datallowconn or datistemplate
   order by datname`;

const tablespacesSql = `
  select oid::int8::float8 as oid, spcname::text as name, pg_tablespace_location(oid) as location
    from pg_tablespace
   where spcname not in ('pg_default', 'pg_global')
   order by oid`;

/** What a server is and what we may do with it. Read-only; works with any role that may connect. */
export async function describeServer(client: pg.ClientBase): Promise<ServerInfo> {
  const { rows } = await client.query<Record<string, never>>(serverSql);
  const server = rows[0]! as Record<string, unknown>;
  const databases = (await client.query<ServerInfo['databases'][number]>(databasesSql)).rows;
  const tablespaces = (await client.query<ServerInfo['tablespaces'][number]>(tablespacesSql)).rows;
  return {
    version: String(server.version).split(' ')[0]!,
    major: server.major as number,
    isStandby: server.is_standby as boolean,
    isSuperuser: server.is_superuser as boolean,
    mayReplicate: server.may_replicate as boolean,
    roles: server.roles as string[],
    dataDirectory: server.data_directory as string | null,
    sizeBytes: databases.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0),
    databases,
    loggingCollector: server.logging_collector as boolean,
    startedAt: server.started_at as Date,
    systemIdentifier: server.may_read_control ? await systemIdentifier(client) : null,
    tablespaces,
    port: server.port as number,
    maxConnections: server.max_connections as number,
    bootstrapSuperuser: server.bootstrap_superuser as string,
  };
}

async function systemIdentifier(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    'select system_identifier::text as id from pg_control_system()',
  );
  return rows[0]!.id;
}
