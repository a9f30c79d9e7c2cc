import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatSettings, type HbaMethods, writeHba, writeOwned } from '../instance-files.js';
import type { Account } from '../run-as.js';

/** What a copied data directory may bring along and must not keep. */
const leftovers = [
  'standby.signal',
  'recovery.signal',
  'recovery.conf',
  'recovery.done',
  'postmaster.pid',
  'postmaster.opts',
  'current_logfiles',
  'otto.conf',
  'server.log',
];

/**
 * Gives a copied data directory a configuration of its own, whole: nothing of the source's files stays, wherever they
 * lie (Debian keeps them in /etc) and whatever they include.
 */
export async function configureCopy(
  dataDirectory: string,
  settings: Record<string, string>,
  hba: HbaMethods,
  account: Account | undefined,
): Promise<void> {
  for (const name of leftovers) await rm(join(dataDirectory, name), { force: true, recursive: true });
  const head = '# Written by Ottopilot when this copy was made.\n';
  await writeOwned(join(dataDirectory, 'postgresql.conf'), `${head}${formatSettings(settings)}`, account);
  await writeOwned(join(dataDirectory, 'postgresql.auto.conf'), '', account);
  await writeOwned(join(dataDirectory, 'pg_ident.conf'), '', account);
  await writeHba(dataDirectory, hba, account);
}
