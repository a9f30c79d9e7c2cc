import type pg from 'pg';
import { type Logger, newId } from '../../base/index.js';

/** What a server says at the end of a backup. */
export interface BackupEnd {
  /** A copy is consistent once recovery has come this far. */
  lsn: string;
  labelFile: string;
  /** `oid path` lines; empty where there are no tablespaces. */
  tablespaceMap: string;
}

/**
 * Begins a backup (non-exclusive: it ends with this connection, whatever happens to us) and returns its first
 * position. Until the connection ends, the server also keeps the WAL since then, by a temporary slot, if it has one free.
 */
export async function startBackup(client: pg.ClientBase, major: number, logger: Logger): Promise<string> {
  try {
    await client.query('select pg_create_physical_replication_slot($1, true, true)', [newId('otto')]);
  } catch (error) {
    logger.warn(
      { err: error },
      'no slot for the backup: it fails, should the server remove WAL before it is copied',
    );
  }
  const call = major >= 15 ? 'pg_backup_start($1, true)' : 'pg_start_backup($1, true, false)';
  const { rows } = await client.query<{ lsn: string }>(`select ${call}::text as lsn`, ['ottopilot']);
  return rows[0]!.lsn;
}

/** Ends the backup. On a primary this also closes the WAL segment, so that all that is needed is on disk. */
export async function stopBackup(client: pg.ClientBase, major: number): Promise<BackupEnd> {
  const call = major >= 15 ? 'pg_backup_stop(false)' : 'pg_stop_backup(false, false)';
  const { rows } = await client.query<BackupEnd>(
    `select lsn::text as lsn, labelfile as "labelFile", spcmapfile as "tablespaceMap" from ${call}`,
  );
  return rows[0]!;
}

/** Functions that a role needs for a backup by file copy. */
export const backupFunctions = (major: number): string[] =>
  major >= 15
    ? ['pg_backup_start(text, boolean)', 'pg_backup_stop(boolean)']
    : ['pg_start_backup(text, boolean, boolean)', 'pg_stop_backup(boolean, boolean)'];
