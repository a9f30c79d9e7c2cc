import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { execa } from 'execa';
import { type Clock, OttoError } from '../../base/index.js';
import type { WorkerRow } from '../../store/index.js';
import type { LaunchPlan } from './launch-plan.js';
import { explainSsh } from './ssh-log.js';

/** A process that has not ended this long after it was told to never will. */
const endLimitMs = 30_000;

/** A process that was started for a worker. */
export interface Launched {
  child: ChildProcess;
  plan: LaunchPlan;
  /** Its token tells the processes of one worker apart. */
  tokenId: string;
  logFile: string;
  /** Where this process's part of the log begins, bytes. */
  logFrom: number;
  sshLogFile: string;
  /** Why it could not be started at all. */
  failure?: Error;
}

export function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** Why a process ended before its worker was attached. */
export async function explainEnd(row: WorkerRow, launched: Launched): Promise<OttoError> {
  const { child, plan, logFile, failure } = launched;
  if (failure) {
    const missing = (failure as NodeJS.ErrnoException).code === 'ENOENT';
    return new OttoError('WORKER_FAILED', `worker ${row.name} could not be started: ${failure.message}`, {
      ...(plan.how === 'ssh' &&
        missing && { hint: 'Install the OpenSSH client (ssh) where the control plane runs.' }),
      cause: failure,
    });
  }
  const said = await saidBy(launched);
  if (plan.how === 'ssh') {
    const log = await readFile(launched.sshLogFile, 'utf8').catch(() => '');
    // Some of its warnings ssh writes to stderr all the same.
    return explainSsh(plan, { status: child.exitCode, log: `${said}\n${log}`, said });
  }
  return new OttoError('WORKER_FAILED', `worker ${row.name} ended before it was attached: ${said}`, {
    hint: `Its log is ${logFile}.`,
  });
}

/** What a process last wrote: its final error where there is one. */
export async function saidBy({ logFile, logFrom }: Launched): Promise<string> {
  const log = await readFile(logFile).catch(() => Buffer.alloc(0));
  const text = log.subarray(logFrom).toString('utf8').trimEnd();
  const error = text.lastIndexOf('otto: ');
  const lines = (error < 0 ? text : text.slice(error + 'otto: '.length)).split('\n');
  return lines.slice(-5).join(' | ') || 'it said nothing';
}

/**
 * A local worker outlives a control plane that is killed, and may look for it at an address that is gone. It holds the
 * folder that its successor needs. At other hosts the successor does this itself.
 */
export async function endPredecessor(row: WorkerRow, clock: Clock): Promise<void> {
  const { pid, host } = row.info;
  if (!pid || host !== hostname()) return;
  for (let waited = 0; await isWorker(pid, row.id); waited += 100) {
    if (waited > endLimitMs) {
      throw new OttoError('WORKER_STUCK', `process ${pid} of worker ${row.name} does not end`, {
        transient: true,
      });
    }
    // Politely first: it may be putting settings back.
    try {
      process.kill(pid, waited < 5_000 ? 'SIGTERM' : 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await clock.sleep(100);
  }
}

/** Whether this process is that worker: its number alone may have been given to another. */
async function isWorker(pid: number, workerId: string): Promise<boolean> {
  const { stdout, exitCode } = await execa('ps', ['-p', String(pid), '-o', 'args='], { reject: false });
  return exitCode === 0 && stdout.includes(workerId);
}
