import type pg from 'pg';
import { OttoError } from '../../base/index.js';
import { withConnection } from '../connect.js';
import { autoConfLine, sameLine, writeAutoConf } from './auto-conf.js';
import { reload } from './reload.js';
import type { Journal, OpenChange, Restoration } from './types.js';

/**
 * Takes changes back exactly: the former line of postgresql.auto.conf is put back, or ours removed where there was
 * none. A line that is no longer ours is its owner's: it is kept, and that is said. Harmless to repeat, and after a
 * crash at any point; the changes stay open in the journal until the server has read its configuration again.
 * @throws OttoError RESTORE_INCOMPLETE naming the settings that failed, after all others have been restored.
 */
export async function restoreSettings(
  url: string,
  changes: OpenChange[],
  journal: Journal,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<Restoration[]> {
  if (changes.length === 0) return [];
  const done: { change: OpenChange; restoration: Restoration }[] = [];
  const failed: { setting: string; error: Error }[] = [];
  await withConnection(url, { signal: options.signal }, async (client) => {
    for (const change of changes) {
      try {
        done.push({ change, restoration: await restoreLine(client, change) });
      } catch (error) {
        failed.push({ setting: change.setting, error: error as Error });
      }
    }
    // Always: an earlier attempt may have ended between writing the lines and this.
    await reload(client, url, options.timeoutMs ?? 10_000, options.signal);
  });
  for (const { change, restoration } of done) {
    await journal.resolve(change.id, restoration.outcome, restoration.note);
  }
  if (failed.length > 0) {
    throw new OttoError(
      'RESTORE_INCOMPLETE',
      `not restored: ${failed.map(({ setting, error }) => `${setting} (${error.message})`).join(', ')}`,
      {
        cause: failed[0]!.error,
        hint: 'The changes stay open in the journal: restore again when the reason is gone.',
      },
    );
  }
  return done.map(({ restoration }) => restoration);
}

async function restoreLine(client: pg.ClientBase, change: OpenChange): Promise<Restoration> {
  const { setting, before, ours } = change;
  const line = await autoConfLine(client, setting);
  if (sameLine(setting, line, before.autoConf)) {
    const note = sameLine(setting, ours, before.autoConf) ? undefined : 'its line was already as before';
    return { setting, outcome: 'RESTORED', ...(note && { note }) };
  }
  if (!sameLine(setting, line, ours)) {
    const now = line === null ? 'removed' : `changed to ${line}`;
    return {
      setting,
      outcome: 'KEPT_THEIRS',
      note: `its line was ${now} by someone else meanwhile, and stays so`,
    };
  }
  await writeAutoConf(client, setting, before.autoConf);
  return { setting, outcome: 'RESTORED' };
}
