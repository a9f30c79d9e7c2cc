import { z } from 'zod';
import { maskUrl } from '../../base/index.js';
import { defineCollector } from './collector.js';
import { ServerConnection } from './server-connection.js';

const text = z.string().nullable();

const setting = z.object({
  name: z.string(),
  value: text,
  unit: text,
  category: z.string(),
  description: text,
  context: z.string(),
  type: z.string(),
  source: z.string(),
  min: text,
  max: text,
  enumValues: z.array(z.string()).nullable(),
  bootValue: text,
  resetValue: text,
  sourceFile: text,
  sourceLine: z.number().nullable(),
  pendingRestart: z.boolean(),
});

const fileSetting = z.object({
  file: text,
  line: z.number().nullable(),
  name: text,
  value: text,
  applied: z.boolean(),
  error: text,
});

const result = z.object({
  /** pg_settings as this connection sees it. */
  settings: z.array(setting),
  /** The configuration files; null where the role may not read them, with the reason in `missing`. */
  files: z.array(fileSetting).nullable(),
  /** ALTER DATABASE / ALTER ROLE … SET; null database or role: all of them. */
  databaseAndRole: z.array(z.object({ database: text, role: text, name: z.string(), value: z.string() })),
  missing: z.array(z.object({ what: z.string(), why: z.string() })),
});

const settingsSql = `
  SELECT name, setting AS value, unit, category, short_desc AS description, context, vartype AS type, source,
         min_val AS min, max_val AS max, enumvals AS "enumValues", boot_val AS "bootValue",
         reset_val AS "resetValue", sourcefile AS "sourceFile", sourceline AS "sourceLine",
         pending_restart AS "pendingRestart"
    FROM pg_settings ORDER BY name`;

const filesSql = `
  SELECT sourcefile AS file, sourceline AS line, name, setting AS value, applied, error
    FROM pg_file_settings ORDER BY seqno`;

const databaseAndRoleSql = `
  SELECT d.datname::text AS database, r.rolname::text AS role, split_part(entry, '=', 1) AS name,
         substr(entry, strpos(entry, '=') + 1) AS value
    FROM pg_db_role_setting s
    LEFT JOIN pg_database d ON d.oid = s.setdatabase
    LEFT JOIN pg_roles r ON r.oid = s.setrole
   CROSS JOIN unnest(s.setconfig) AS entry
   ORDER BY 1 NULLS FIRST, 2 NULLS FIRST, 3`;

export const settingsCollector = defineCollector({
  type: 'SETTINGS',
  summary:
    'All settings with their sources, the configuration files, and the settings of databases and roles.',
  config: z.object({}),
  result,
  holdsUserData: false,
  defaultTimeoutMs: 60_000,
  setup: (context) => ServerConnection.open(context),
  async collect(context, server) {
    const missing: z.infer<typeof result>['missing'] = [];
    const settings = await server.rows<z.infer<typeof setting>>(settingsSql);
    const files = await server.rows<z.infer<typeof fileSetting>>(filesSql).catch((error: unknown) => {
      if ((error as { code?: string }).code !== '42501') throw error;
      const why = 'the role may not read pg_file_settings';
      missing.push({ what: 'files', why });
      context.log('warn', why);
      return null;
    });
    const databaseAndRole =
      await server.rows<z.infer<typeof result>['databaseAndRole'][number]>(databaseAndRoleSql);
    return {
      settings: settings.map((row) => ({
        ...row,
        value: mask(row.value),
        bootValue: mask(row.bootValue),
        resetValue: mask(row.resetValue),
      })),
      files: files?.map((row) => ({ ...row, value: mask(row.value) })) ?? null,
      databaseAndRole: databaseAndRole.map((row) => ({ ...row, value: maskUrl(row.value) })),
      missing,
    };
  },
  cleanup: async (_, server) => server?.close(),
  rows: ({ settings }) => settings.length,
});

/** primary_conninfo and the archive commands may hold a password. */
function mask(value: string | null): string | null {
  return value === null ? null : maskUrl(value);
}
