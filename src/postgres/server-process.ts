import { type ChildProcess, spawn } from 'node:child_process';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { OttoError, systemClock } from '../base/index.js';
import { connect } from './connect.js';
import { isPostmasterOf, readPidFile } from './postmaster.js';
import { type Account, spawnAs } from './run-as.js';

export interface ServerStart {
  /** The program and its arguments; a launcher (taskset, prlimit) may come first, as long as it ends in exec. */
  argv: string[];
  dataDirectory: string;
  logFile: string;
  account?: Account;
  /** Any URL of the server: also a refused password shows that it answers. */
  url: string;
  timeoutMs: number;
  signal?: AbortSignal;
}

export type StartFailure = 'port-in-use' | 'already-running' | 'orphans' | 'other';

/** A server that ended before it was ready. */
export class StartError extends OttoError {
  constructor(
    readonly failure: StartFailure,
    message: string,
    tail: string,
  ) {
    super('POSTGRES_START_FAILED', `${message}${tail === '' ? '' : `; its log ends with:\n${tail}`}`, {
      hint: 'The end of its log says why.',
    });
  }
}

/**
 * Starts a server in a session of its own, so that neither Ctrl-C nor our end takes it along, and waits until it
 * answers.
 * @returns The process number.
 */
export async function startServer(start: ServerStart): Promise<number> {
  start.signal?.throwIfAborted();
  const logStart = await stat(start.logFile).then(
    ({ size }) => size,
    () => 0,
  );
  const log = await open(start.logFile, 'a', 0o600);
  let child: ChildProcess;
  try {
    // Its own: it may lie in the data directory, and a backup reads everything there.
    if (start.account) await log.chown(start.account.uid, start.account.gid);
    const [program, ...args] = start.argv;
    child = spawn(program!, args, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      cwd: start.dataDirectory,
      env: serverEnvironment(),
      ...spawnAs(start.account),
    });
  } finally {
    await log.close();
  }
  let ended: string | undefined;
  child.once('exit', (code, signal) => {
    ended = signal === null ? `exit status ${code}` : signal;
  });
  child.once('error', (error) => {
    ended = error.message;
  });
  child.unref();
  try {
    await waitUntilReady(start, child, () => ended);
  } catch (error) {
    if (error instanceof ReadinessError) {
      throw startError(error.message, await tailOf(start.logFile, logStart));
    }
    throw error;
  } finally {
    if (ended === undefined && child.pid !== undefined) child.removeAllListeners();
  }
  return child.pid!;
}

class ReadinessError extends Error {}

async function waitUntilReady(
  start: ServerStart,
  child: ChildProcess,
  ended: () => string | undefined,
): Promise<void> {
  const deadline = systemClock.monotonic() + start.timeoutMs;
  for (let pauseMs = 5; ; pauseMs = Math.min(pauseMs * 1.5, 100)) {
    const end = ended();
    if (end !== undefined)
      throw new ReadinessError(`the server in ${start.dataDirectory} did not start (${end})`);
    if (start.signal?.aborted || systemClock.monotonic() > deadline) {
      await endChild(child, ended);
      if (start.signal?.aborted) {
        throw new OttoError('CANCELLED', 'starting the server was cancelled', { cause: start.signal.reason });
      }
      throw new ReadinessError(
        `the server in ${start.dataDirectory} was not ready after ${Math.round(start.timeoutMs / 1000)} s`,
      );
    }
    if (await isReady(start, child.pid)) return;
    await systemClock.sleep(pauseMs);
  }
}

/** The pid file is asked too: on our port another server might answer while ours is about to fail. */
async function isReady(start: ServerStart, pid: number | undefined): Promise<boolean> {
  const noted = await readPidFile(start.dataDirectory);
  if (noted === undefined || noted.pid !== pid) return false;
  if (noted.status !== 'ready' && noted.status !== 'standby') return false;
  try {
    const client = await connect(start.url, { connectTimeoutMs: 2000 });
    await client.end();
    return true;
  } catch (error) {
    const { code } = error as OttoError;
    return code === 'AUTH_FAILED' || code === 'NO_SUCH_DATABASE' || code === 'TOO_MANY_CONNECTIONS';
  }
}

async function endChild(child: ChildProcess, ended: () => string | undefined): Promise<void> {
  child.kill('SIGQUIT');
  const killAt = systemClock.monotonic() + 6000;
  while (ended() === undefined) {
    if (systemClock.monotonic() > killAt) child.kill('SIGKILL');
    await systemClock.sleep(20);
  }
}

function startError(message: string, tail: string): StartError {
  const failure: StartFailure = /Address already in use|\.s\.PGSQL\.\d+\.lock" already exists/.test(tail)
    ? 'port-in-use'
    : /"postmaster\.pid" already exists/.test(tail)
      ? 'already-running'
      : /pre-existing shared memory block/.test(tail)
        ? 'orphans'
        : 'other';
  return new StartError(failure, message, tail);
}

/** What was logged since `from`, at most the last 3 000 characters. */
async function tailOf(path: string, from: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(from, size - 3000);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.subarray(0, bytesRead).toString('utf8').trim();
  } finally {
    await file.close();
  }
}

/** Little: our environment may hold secrets, and programs run by SQL would see them. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, TMPDIR, TZ } = process.env;
  return { PATH, ...(TMPDIR && { TMPDIR }), ...(TZ && { TZ }), LC_ALL: 'C' };
}

const signals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/**
 * Stops the server with that process number, having made sure that it is one on this data directory.
 * @throws OttoError STOP_TIMEOUT when it has not ended within `timeoutMs`.
 */
export async function stopServer(
  pid: number,
  dataDirectory: string,
  mode: 'smart' | 'fast' | 'immediate',
  timeoutMs: number,
): Promise<void> {
  if (!(await isPostmasterOf(pid, dataDirectory))) return;
  signal(pid, signals[mode]);
  const deadline = systemClock.monotonic() + timeoutMs;
  while (await isPostmasterOf(pid, dataDirectory)) {
    if (systemClock.monotonic() > deadline) {
      throw new OttoError(
        'STOP_TIMEOUT',
        `the server in ${basename(dataDirectory)} (process ${pid}) did not stop within ${Math.round(timeoutMs / 1000)} s`,
        {
          where: dataDirectory,
          hint: mode === 'immediate' ? 'End the process by hand.' : 'Stop it in immediate mode.',
        },
      );
    }
    await systemClock.sleep(10);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
