import pg from 'pg';
import { OttoError } from '../../base/index.js';

/** Settings whose value is a list of names that ALTER SYSTEM quotes one by one (GUC_LIST_QUOTE). */
const quotedLists = new Set([
  'local_preload_libraries',
  'oauth_validator_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

const lineSql = `
  select setting
    from pg_file_settings
   where lower(name) = lower($1) and sourcefile like '%/postgresql.auto.conf'
   order by seqno desc
   limit 1`;

/** The value of the setting's line in postgresql.auto.conf; of several the last, which is the one that counts. */
export async function autoConfLine(client: pg.ClientBase, setting: string): Promise<string | null> {
  const { rows } = await client.query<{ setting: string | null }>(lineSql, [setting]);
  return rows[0] === undefined ? null : (rows[0].setting ?? '');
}

/** Whether two values of a setting are the same line; quoting within a list of names does not matter. */
export function sameLine(setting: string, a: string | null, b: string | null): boolean {
  if (a === null || b === null || !quotedLists.has(setting.toLowerCase())) return a === b;
  return JSON.stringify(splitNames(a)) === JSON.stringify(splitNames(b));
}

/** Writes the setting's line in postgresql.auto.conf, or removes it. Takes effect with the next reload. */
export async function writeAutoConf(
  client: pg.ClientBase,
  setting: string,
  value: string | null,
): Promise<void> {
  const name = setting.split('.').map(pg.escapeIdentifier).join('.');
  try {
    await client.query(
      value === null
        ? `alter system reset ${name}`
        : `alter system set ${name} = ${formatValue(setting, value)}`,
    );
  } catch (error) {
    // Nobody refused anything: the server went away.
    if (isConnectionLost(error)) throw error;
    throw new OttoError(
      'SETTING_REFUSED',
      `${setting} cannot be set to ${value ?? 'its default'}: ${(error as Error).message}`,
      {
        where: setting,
        cause: error,
        hint: (error as { hint?: string }).hint ?? 'Choose a value that the server accepts.',
      },
    );
  }
}

/** Only the server's own word, with a code that is not of a connection's end, is a refusal. */
function isConnectionLost(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || /^(08|57P)/.test(error.code ?? '');
}

function formatValue(setting: string, value: string): string {
  if (!quotedLists.has(setting.toLowerCase()) || value.trim() === '') return pg.escapeLiteral(value);
  return splitNames(value).map(pg.escapeLiteral).join(', ');
}

/** `"$user", public` → `$user`, `public`, as the server splits such lists. */
export function splitNames(list: string): string[] {
  const names: string[] = [];
  for (const [, quoted, plain] of list.matchAll(/"((?:[^"]|"")*)"|([^\s,]+)/g)) {
    names.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'));
  }
  return names;
}
