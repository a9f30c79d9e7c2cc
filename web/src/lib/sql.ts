import type { ChangeView } from '../api/types.js';

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const name = (setting: string): string =>
  setting
    .split('.')
    .map((part) => (/^[a-z_][a-z0-9_]*$/.test(part) ? part : `"${part.replaceAll('"', '""')}"`))
    .join('.');

/** What a restore does, in SQL: the former line of postgresql.auto.conf comes back, or the line goes. */
export function restoreSql(changes: readonly Pick<ChangeView, 'setting' | 'before'>[]): string {
  const lines = changes.map(({ setting, before }) =>
    before.autoConf === null
      ? `ALTER SYSTEM RESET ${name(setting)};`
      : `ALTER SYSTEM SET ${name(setting)} = ${literal(before.autoConf)};`,
  );
  return [...lines, 'SELECT pg_reload_conf();'].join('\n');
}
