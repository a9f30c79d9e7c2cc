import type pg from 'pg';
import { OttoError } from '../../base/index.js';

const sql = `
  select current_user as role,
         current_setting('is_superuser') = 'on' as superuser,
         current_setting('server_version_num')::int as version,
         coalesce(current_setting('allow_alter_system', true), 'on') = 'on' as alter_system_on,
         has_function_privilege('pg_reload_conf()', 'execute') as may_reload,
         has_table_privilege('pg_file_settings', 'select')
           and has_function_privilege('pg_show_all_file_settings()', 'execute') as may_read_files,
         pg_has_role('pg_read_all_settings', 'usage') as may_read_settings`;

interface Privileges {
  role: string;
  superuser: boolean;
  version: number;
  alter_system_on: boolean;
  may_reload: boolean;
  may_read_files: boolean;
  may_read_settings: boolean;
}

/**
 * Makes sure that the role may change and restore these settings, before anything is journalled.
 * @throws OttoError MISSING_PRIVILEGE naming everything that is missing and the SQL that grants it.
 */
export async function requirePrivileges(client: pg.ClientBase, settings: string[]): Promise<void> {
  const { rows } = await client.query<Privileges>(sql);
  const now = rows[0]!;
  if (!now.alter_system_on) {
    throw new OttoError(
      'MISSING_PRIVILEGE',
      'ALTER SYSTEM is switched off on this server (allow_alter_system)',
      {
        hint: 'Its settings are managed elsewhere: change them there.',
      },
    );
  }
  if (now.superuser) return;
  const role = `"${now.role.replaceAll('"', '""')}"`;
  const missing: { what: string; grant: string }[] = [];
  for (const setting of settings) {
    if (!(await mayAlter(client, now.version, setting))) {
      missing.push({
        what: `ALTER SYSTEM on ${setting}`,
        grant:
          now.version >= 150_000
            ? `GRANT ALTER SYSTEM ON PARAMETER ${setting} TO ${role}`
            : `ALTER ROLE ${role} SUPERUSER`,
      });
    }
  }
  if (!now.may_reload)
    missing.push({
      what: 'pg_reload_conf()',
      grant: `GRANT EXECUTE ON FUNCTION pg_reload_conf() TO ${role}`,
    });
  if (!now.may_read_files) {
    missing.push({
      what: 'reading pg_file_settings',
      grant: `GRANT SELECT ON pg_file_settings TO ${role}; GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO ${role}`,
    });
  }
  if (!now.may_read_settings)
    missing.push({ what: 'pg_read_all_settings', grant: `GRANT pg_read_all_settings TO ${role}` });
  if (missing.length === 0) return;
  throw new OttoError(
    'MISSING_PRIVILEGE',
    `the role ${now.role} may not change settings so that they can be restored; it lacks: ${missing.map(({ what }) => what).join(', ')}`,
    { hint: `As a superuser: ${[...new Set(missing.map(({ grant }) => grant))].join('; ')};` },
  );
}

async function mayAlter(client: pg.ClientBase, version: number, setting: string): Promise<boolean> {
  if (version < 150_000) return false;
  const { rows } = await client.query<{ may: boolean }>(
    "select has_parameter_privilege($1, 'alter system') as may",
    [setting],
  );
  return rows[0]!.may;
}
