import type pg from 'pg';
import type { SettingOverride } from './types.js';

const commandLineSql = `
  select name as setting, setting as value
    from pg_settings
   where source = 'command line' and lower(name) = any($1)`;

const roleSql = `
  select r.rolname::text as role, d.datname::text as database, entry
    from pg_db_role_setting s
    cross join unnest(s.setconfig) as entry
    left join pg_roles r on r.oid = s.setrole
    left join pg_database d on d.oid = s.setdatabase
   where lower(split_part(entry, '=', 1)) = any($1)
   order by 1, 2`;

/** Where these settings are set above postgresql.auto.conf: on the command line, by ALTER ROLE, by ALTER DATABASE. */
export async function findOverrides(client: pg.ClientBase, settings: string[]): Promise<SettingOverride[]> {
  const names = [settings.map((name) => name.toLowerCase())];
  const fixed = await client.query<{ setting: string; value: string }>(commandLineSql, names);
  const roles = await client.query<{ role: string | null; database: string | null; entry: string }>(
    roleSql,
    names,
  );
  return [
    ...fixed.rows.map((row): SettingOverride => ({ ...row, by: 'command line' })),
    ...roles.rows.map(({ role, database, entry }): SettingOverride => {
      const equals = entry.indexOf('=');
      return {
        setting: entry.slice(0, equals),
        value: entry.slice(equals + 1),
        by: role !== null && database !== null ? 'role in database' : role !== null ? 'role' : 'database',
        ...(role !== null && { role }),
        ...(database !== null && { database }),
      };
    }),
  ];
}

/** `ALTER ROLE app SET`: how the override was made. */
export function describeOverride({ by, role, database }: SettingOverride): string {
  if (by === 'command line') return "the server's command line";
  if (by === 'role') return `ALTER ROLE ${role} SET`;
  if (by === 'database') return `ALTER DATABASE ${database} SET`;
  return `ALTER ROLE ${role} IN DATABASE ${database} SET`;
}
