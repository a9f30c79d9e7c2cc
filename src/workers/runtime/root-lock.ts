import { link, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { inside, isAlive, newId, OttoError, readJson } from '../../base/index.js';

interface Holder {
  pid: number;
  host: string;
  /** Start of the process in clock ticks since boot: a pid alone may belong to someone else by now. */
  started: string | null;
}

const retryMs = 50;
/** Whoever holds the guard is done in a moment; one that is older was left by a process that died with it. */
const guardStaleMs = 10_000;
const mostTries = (2 * guardStaleMs) / retryMs;

/**
 * One process a root. The lock of a process that no longer exists is taken over; that of a live one, or of another
 * host, is an error.
 */
export async function lockRoot(root: string): Promise<{ release: () => Promise<void> }> {
  const path = inside(root, 'worker.lock');
  const own = JSON.stringify({ pid: process.pid, host: hostname(), started: await startOf(process.pid) });
  for (let tries = 0; tries < mostTries; tries++) {
    if (await create(path, own)) return { release: () => release(path, own) };
    const text = await readText(path);
    if (text === undefined) continue;
    await assertStale(text, root);
    await takeAway(path, text);
    await delay(retryMs);
  }
  throw new OttoError('ROOT_LOCKED', `${root}: several processes are trying to lock it at once`, {
    where: root,
  });
}

/**
 * Ends the process that still uses the root as the same worker: one that its launcher has lost, say behind a broken
 * connection. Told to drain, then to stop (so that it puts back what it changed), then killed.
 */
export async function endPredecessor(root: string, workerId: string, limitMs = 5_000): Promise<void> {
  const holder = parseHolder((await readText(inside(root, 'worker.lock'))) ?? '');
  const saved = await readJson<{ workerId: string }>(inside(root, 'worker.json'));
  if (!holder || saved?.workerId !== workerId || holder.host !== hostname()) return;
  const isHolder = async (): Promise<boolean> =>
    isAlive(holder.pid) && (holder.started === null || (await startOf(holder.pid)) === holder.started);
  for (let waitedMs = 0; waitedMs < limitMs + guardStaleMs && (await isHolder()); waitedMs += retryMs) {
    // The second signal is the one that stops: see processSignals.
    if (waitedMs === 0 || waitedMs === retryMs) signal(holder.pid, 'SIGTERM');
    if (waitedMs >= limitMs) signal(holder.pid, 'SIGKILL');
    await delay(retryMs);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function create(path: string, content: string): Promise<boolean> {
  const temporary = `${path}.${newId('new')}`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
  try {
    // A hard link appears complete or not at all, and fails where the name exists.
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function assertStale(text: string, root: string): Promise<void> {
  const holder = parseHolder(text);
  if (holder === undefined) return;
  if (holder.host !== hostname()) {
    throw new OttoError('ROOT_LOCKED', `${root} is in use by process ${holder.pid} on ${holder.host}`, {
      where: root,
      hint: `Give each worker its own root; if that host is gone, delete ${root}/worker.lock.`,
    });
  }
  if (!isAlive(holder.pid)) return;
  const started = await startOf(holder.pid);
  if (holder.started !== null && started !== null && started !== holder.started) return;
  throw new OttoError('ROOT_LOCKED', `${root} is in use by the worker with pid ${holder.pid}`, {
    where: root,
    hint: 'Give each worker its own root, or stop the other one first.',
  });
}

/** Removes the lock that was judged stale. One at a time, so that nobody removes the lock of one who was quicker. */
async function takeAway(path: string, stale: string): Promise<void> {
  const guard = `${path}.guard`;
  try {
    await writeFile(guard, '', { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const info = await stat(guard).catch(() => undefined);
    if (info && Date.now() - info.mtimeMs > guardStaleMs) await rm(guard, { force: true });
    return;
  }
  try {
    if ((await readText(path)) === stale) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

async function release(path: string, own: string): Promise<void> {
  if ((await readText(path)) === own) await rm(path, { force: true });
}

function parseHolder(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    // Half a file cannot come from `create`: a foreign or damaged lock has no live owner.
    return undefined;
  }
}

async function startOf(pid: number): Promise<string | null> {
  const stat = await readText(`/proc/${pid}/stat`);
  // The name in parentheses may hold spaces; start time is the 20th field after it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
