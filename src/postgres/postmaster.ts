import { readdir, readFile, readlink, realpath, unlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { isAlive } from '../base/index.js';

/** What a server writes of itself into postmaster.pid. */
export interface Postmaster {
  pid: number;
  startedAt: Date;
  port: number;
  socketDirectory?: string;
  /** `starting`, `ready`, `standby` or `stopping`. */
  status?: string;
}

/** What postmaster.pid says, whether or not that process is still there. */
export async function readPidFile(dataDirectory: string): Promise<Postmaster | undefined> {
  let lines: string[];
  try {
    lines = (await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8')).split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  return {
    pid,
    startedAt: new Date(Number(lines[2]) * 1000),
    port: Number(lines[3] ?? 0),
    ...(lines[4] && { socketDirectory: lines[4].trim() }),
    ...(lines[7] && { status: lines[7].trim() }),
  };
}

/** The server that really runs on this data directory: a process number that another program has got since is not it. */
export async function runningPostmaster(dataDirectory: string): Promise<Postmaster | undefined> {
  const noted = await readPidFile(dataDirectory);
  return noted && (await isPostmasterOf(noted.pid, dataDirectory)) ? noted : undefined;
}

/** Whether `pid` is the main process of a server on this data directory (its children are not). */
export async function isPostmasterOf(pid: number, dataDirectory: string): Promise<boolean> {
  return process.platform === 'linux'
    ? isPostmasterByProc(pid, dataDirectory)
    : isPostmasterByPs(pid, dataDirectory);
}

async function isPostmasterByProc(pid: number, dataDirectory: string): Promise<boolean> {
  try {
    const [program] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    // The children of a server call themselves "postgres: …"; a zombie has no command line at all.
    if (!program || !/^(postgres|postmaster)$/.test(basename(program))) return false;
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(dataDirectory));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return false;
    throw error;
  }
}

async function isPostmasterByPs(pid: number, dataDirectory: string): Promise<boolean> {
  const { stdout, exitCode } = await execa('ps', ['-ww', '-o', 'stat=,args=', '-p', String(pid)], {
    reject: false,
  });
  if (exitCode !== 0 || /^\s*Z/.test(stdout)) return false;
  const real = await realpath(dataDirectory).catch(() => dataDirectory);
  return /\b(postgres|postmaster) /.test(stdout) && (stdout.includes(dataDirectory) || stdout.includes(real));
}

/** A process number that no system gives out. */
const nobodysPid = 2_147_483_647;

/**
 * Makes a postmaster.pid whose number now belongs to a foreign program point at nobody, because PostgreSQL would take
 * that program for its former self and refuse to start. The file is kept: its last lines are how PostgreSQL finds out
 * that backends of a killed server still use the data. Only for a data directory whose server does not run.
 */
export async function disownRecycledPid(dataDirectory: string, socketDirectory: string): Promise<boolean> {
  const noted = await readPidFile(dataDirectory);
  if (!noted || noted.pid === nobodysPid || !isAlive(noted.pid)) return false;
  if (await isPostmasterOf(noted.pid, dataDirectory)) return false;
  const path = join(dataDirectory, 'postmaster.pid');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace(/^\d+/, String(nobodysPid)));
  await removeSocketLocks(dataDirectory, socketDirectory);
  return true;
}

/** The lock files beside the socket carry the same number; only those that name this data directory are ours. */
async function removeSocketLocks(dataDirectory: string, socketDirectory: string): Promise<void> {
  const names = await readdir(socketDirectory).catch(() => []);
  for (const name of names.filter((name) => /^\.s\.PGSQL\.\d+\.lock$/.test(name))) {
    const [, owner] = (await readFile(join(socketDirectory, name), 'utf8')).split('\n');
    if (owner === dataDirectory || owner === (await realpath(dataDirectory))) {
      await unlink(join(socketDirectory, name));
    }
  }
}
