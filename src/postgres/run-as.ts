import { chown, lchown, lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OttoError } from '../base/index.js';

/** The account that a server runs under. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
}

/**
 * The account for servers of ours: undefined where we are not root, since then it is our own. PostgreSQL refuses to
 * run as root, so root uses `postgres`, or else `nobody`; no account is created.
 * @throws OttoError NO_ACCOUNT where root finds neither.
 */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = parsePasswd(await readFile('/etc/passwd', 'utf8'));
  const account =
    accounts.find(({ name }) => name === 'postgres') ?? accounts.find(({ name }) => name === 'nobody');
  if (account) return account;
  throw new OttoError(
    'NO_ACCOUNT',
    'PostgreSQL does not run as root, and /etc/passwd has neither postgres nor nobody',
    {
      hint: 'Run Ottopilot as an ordinary user, or create a user postgres.',
    },
  );
}

export function parsePasswd(text: string): Account[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    if (!name || !/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '') || Number(uid) === 0) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

/** Options for spawning as this account. */
export function spawnAs(account: Account | undefined): { uid?: number; gid?: number } {
  return account ? { uid: account.uid, gid: account.gid } : {};
}

/** The first folder on the way to `path` (itself included, if a folder) that the account may not enter. */
export async function blockingFolder(path: string, account: Account): Promise<string | undefined> {
  const folders: string[] = [];
  for (let folder = await realpath(path); ; folder = dirname(folder)) {
    folders.unshift(folder);
    if (folder === dirname(folder)) break;
  }
  for (const folder of folders) {
    const info = await stat(folder);
    if (!mayExecute(info, account)) return folder;
  }
  return undefined;
}

/** Mode bits only: access lists are not looked at. A server started for us keeps no supplementary groups. */
function mayExecute(info: { mode: number; uid: number; gid: number }, account: Account): boolean {
  if (info.uid === account.uid) return (info.mode & 0o100) !== 0;
  if (info.gid === account.gid) return (info.mode & 0o010) !== 0;
  return (info.mode & 0o001) !== 0;
}

/** @throws OttoError FOLDER_NOT_REACHABLE naming the folder that bars the account from `path`. */
export async function ensureReachable(
  path: string,
  account: Account | undefined,
  what: string,
): Promise<void> {
  if (!account) return;
  const folder = await blockingFolder(path, account);
  if (folder === undefined) return;
  const mode = ((await stat(folder)).mode & 0o777).toString(8);
  throw new OttoError(
    'FOLDER_NOT_REACHABLE',
    `${what} ${path} cannot be reached by the account ${account.name}, under which the server runs: ${folder} has mode ${mode}`,
    {
      where: folder,
      hint: `Choose a folder outside ${folder}, or let others pass through it: chmod o+x ${folder}`,
    },
  );
}

/** Gives a tree to the account. The top goes last, so that its owner tells whether all of it was done. */
export async function giveTree(path: string, account: Account | undefined): Promise<void> {
  if (!account) return;
  const info = await lstat(path);
  if (info.uid === account.uid && info.gid === account.gid) return;
  await giveContents(path, account);
  await chown(path, account.uid, account.gid);
}

async function giveContents(folder: string, account: Account): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await giveContents(path, account);
    await lchown(path, account.uid, account.gid);
  }
}
