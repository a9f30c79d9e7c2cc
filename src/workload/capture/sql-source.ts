import type { Control } from './control.js';
import type { LogFile, LogSource } from './log-source.js';

const listSql =
  'select name, size::float8 as "sizeBytes", extract(epoch from modification)::float8 * 1000 as "modifiedMs" from pg_ls_logdir()';
// pg reads every value as text, and bytea as hex would double the bytes on the way.
const readSql = `
  select encode(pg_read_binary_file(current_setting('log_directory') || '/' || $1, $2, $3, true), 'base64') as bytes`;

/** Reads the log of a server elsewhere through its own functions. */
export class SqlLogSource implements LogSource {
  readonly readThrough = 'sql';
  readonly #control: Control;

  constructor(control: Control) {
    this.#control = control;
  }

  async list(): Promise<LogFile[]> {
    const files = await this.#control.query<Omit<LogFile, 'id'>>(listSql);
    return files.map((file) => ({ ...file, id: file.name }));
  }

  async read(file: Pick<LogFile, 'name'>, offset: number, length: number): Promise<Uint8Array> {
    const [row] = await this.#control.query<{ bytes: string | null }>(readSql, [file.name, offset, length]);
    return Buffer.from(row?.bytes ?? '', 'base64');
  }

  async freeBytes(): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {}
}

const privilegeSql = `
  select current_user::text as role,
         has_function_privilege('pg_ls_logdir()', 'execute') as may_list,
         has_function_privilege('pg_read_binary_file(text,bigint,bigint,boolean)', 'execute') as may_read`;

/** What the role lacks to read the log through SQL; empty when nothing. */
export async function missingLogGrants(control: Control): Promise<string[]> {
  const [row] = await control.query<{ role: string; may_list: boolean; may_read: boolean }>(privilegeSql);
  const role = `"${row!.role.replaceAll('"', '""')}"`;
  return [
    ...(row!.may_list ? [] : [`GRANT pg_monitor TO ${role}`]),
    ...(row!.may_read
      ? []
      : [`GRANT EXECUTE ON FUNCTION pg_read_binary_file(text,bigint,bigint,boolean) TO ${role}`]),
  ];
}
