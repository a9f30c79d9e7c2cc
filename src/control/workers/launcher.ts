import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { sql } from 'kysely';
import { type Clock, type Logger, newId, OttoError } from '../../base/index.js';
import { type Database, json, type WorkerKind, type WorkerRow } from '../../store/index.js';
import type { Tokens } from '../services/tokens.js';

/** How a worker is started; kept with its row, so that another control plane can start it again. Never a secret. */
export type LaunchPlan =
  | { how: 'local'; root: string }
  | {
      how: 'ssh';
      host: string;
      user?: string;
      port?: number;
      identityFile?: string;
      ottoPath: string;
      root: string;
      knownHostsFile?: string;
    };

export interface LauncherOptions {
  db: Database;
  tokens: Pick<Tokens, 'issue'>;
  /** Program and first arguments that run `otto`. */
  ottoCommand: readonly string[];
  /** Where local workers keep their roots. */
  workersRoot: string;
  /** The worker listener's address, as a process on this machine reaches it. Known once the server listens. */
  workerUrl: () => string;
  /** PEM file of the certificate authority that workers on this machine should trust. */
  caFile?: string;
  clock: Clock;
  logger: Logger;
}

const attachLimitMs = 60_000;

/** Starts worker processes, here or over SSH, and knows which of them are its children. */
export class WorkerLauncher {
  readonly #options: LauncherOptions;
  readonly #children = new Map<string, ChildProcess>();

  constructor(options: LauncherOptions) {
    this.#options = options;
  }

  /** Launches the worker of `key`, or finds the one launched before. Resolves when it is attached. */
  async launch(request: {
    key: string;
    kind: WorkerKind;
    name: string;
    runId: string | null;
    targetId: string | null;
    plan: (workerId: string) => LaunchPlan;
    signal: AbortSignal;
  }): Promise<WorkerRow> {
    const id = newId('wrk');
    const plan = request.plan(id);
    await this.#options.db
      .insertInto('workers')
      .values({
        id,
        kind: request.kind,
        name: request.name,
        how: plan.how,
        target_id: request.targetId,
        launch_key: request.key,
        run_id: request.runId,
        info: '{}',
        launch: json(plan),
      })
      .onConflict((conflict) => conflict.column('launch_key').doNothing())
      .execute();
    const row = await this.#options.db
      .selectFrom('workers')
      .selectAll()
      .where('launch_key', '=', request.key)
      .executeTakeFirstOrThrow();
    return await this.ensure(row.id, request.signal);
  }

  /** Resolves when the worker is attached, starting its process again where it is gone. */
  async ensure(workerId: string, signal: AbortSignal): Promise<WorkerRow> {
    const row = await this.#row(workerId);
    if (row.state === 'READY' || row.state === 'DRAINING') return row;
    if (row.how === 'manual') {
      throw new OttoError('WORKER_LOST', `worker ${row.name} is ${row.state} and was started by hand`, {
        hint: 'Start it again with the command that started it.',
        transient: true,
      });
    }
    const child = this.#children.get(workerId);
    const running = child !== undefined && child.exitCode === null && child.signalCode === null;
    const log = running ? undefined : await this.#start(row);
    return await this.#attached(workerId, signal, log);
  }

  /** Ends the child process of a worker, if it is ours: politely, then not. */
  async reap(workerId: string, limitMs = 10_000): Promise<void> {
    const child = this.#children.get(workerId);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    await ended;
    clearTimeout(timer);
  }

  /** The ids of the workers whose processes are children of this one and run. */
  children(): string[] {
    return [...this.#children]
      .filter(([, child]) => child.exitCode === null && child.signalCode === null)
      .map(([id]) => id);
  }

  async #start(row: WorkerRow): Promise<string> {
    const plan = row.launch as LaunchPlan;
    await endPredecessor(row, this.#options.clock);
    const token = await this.#issueToken(row);
    await this.#options.db
      .updateTable('workers')
      .set({ state: 'STARTING', stopped_at: null, note: null })
      .where('id', '=', row.id)
      .execute();
    const logFile = join(this.#options.workersRoot, row.id, 'worker.log');
    await mkdir(join(this.#options.workersRoot, row.id), { recursive: true });
    const output = await open(logFile, 'a', 0o600);
    try {
      const { program, args } = this.#commandLine(row, plan);
      const child = spawn(program, args, {
        stdio: ['pipe', output.fd, output.fd],
        // Its own group: Ctrl-C in our terminal is ours to pass on.
        detached: true,
        env: plan.how === 'ssh' ? process.env : { ...process.env, OTTO_WORKER_TOKEN: token },
      });
      this.#children.set(row.id, child);
      child.on('error', (error) =>
        this.#options.logger.warn({ err: error, worker: row.id }, 'a worker could not be started'),
      );
      child.on('exit', (code, signal) => void this.#exited(row.id, code, signal));
      child.stdin?.on('error', () => {});
      // Over SSH the token goes through the encrypted channel, never through argv or the remote environment.
      child.stdin?.end(plan.how === 'ssh' ? `${token}\n` : '');
      child.unref();
    } finally {
      await output.close();
    }
    return logFile;
  }

  #commandLine(row: WorkerRow, plan: LaunchPlan): { program: string; args: string[] } {
    const worker = ['worker', row.kind, '--id', row.id, '--name', row.name, '--root', plan.root];
    if (plan.how === 'local') {
      const [program, ...first] = this.#options.ottoCommand;
      const ca = this.#options.caFile === undefined ? [] : ['--tls-ca', this.#options.caFile];
      const orphan = ['--orphan-timeout', '60s'];
      return {
        program: program!,
        args: [...first, ...worker, '--server', this.#options.workerUrl(), ...ca, ...orphan],
      };
    }
    const url = new URL(this.#options.workerUrl());
    const port = url.port;
    // The worker reaches us through the SSH connection itself: nothing of ours need listen on the network.
    const remote = [
      plan.ottoPath,
      ...worker,
      '--server',
      `${url.protocol}//127.0.0.1:${port}`,
      '--token-file',
      '-',
    ];
    return {
      program: 'ssh',
      args: [
        '-T',
        '-o',
        'BatchMode=yes',
        '-o',
        'StrictHostKeyChecking=yes',
        '-o',
        'ExitOnForwardFailure=yes',
        '-o',
        'ServerAliveInterval=10',
        ...(plan.knownHostsFile ? ['-o', `UserKnownHostsFile=${plan.knownHostsFile}`] : []),
        ...(plan.identityFile ? ['-i', plan.identityFile, '-o', 'IdentitiesOnly=yes'] : []),
        ...(plan.port ? ['-p', String(plan.port)] : []),
        '-R',
        `127.0.0.1:${port}:${url.hostname}:${port}`,
        '--',
        plan.user ? `${plan.user}@${plan.host}` : plan.host,
        // One string for the remote shell: each word quoted.
        remote.map(shellQuote).join(' '),
      ],
    };
  }

  async #issueToken(row: WorkerRow): Promise<string> {
    const { token, row: issued } = await this.#options.tokens.issue(
      { name: `worker ${row.name}`, role: 'worker' },
      { name: 'control plane', role: 'admin' },
    );
    await this.#options.db.transaction().execute(async (tx) => {
      if (row.token_id) {
        await tx
          .updateTable('tokens')
          .set({ revoked_at: sql<Date>`now()` })
          .where('id', '=', row.token_id)
          .execute();
      }
      await tx.updateTable('workers').set({ token_id: issued.id }).where('id', '=', row.id).execute();
    });
    return token;
  }

  async #attached(workerId: string, signal: AbortSignal, logFile: string | undefined): Promise<WorkerRow> {
    const began = this.#options.clock.monotonic();
    for (;;) {
      signal.throwIfAborted();
      const row = await this.#row(workerId);
      if (row.state === 'READY' || row.state === 'DRAINING') return row;
      const child = this.#children.get(workerId);
      const gone = child !== undefined && (child.exitCode !== null || child.signalCode !== null);
      if (gone || row.state === 'STOPPED') {
        throw new OttoError(
          'WORKER_FAILED',
          `worker ${row.name} ended before it was attached: ${await tail(logFile)}`,
          {
            hint: 'Its log is worker.log in its folder.',
          },
        );
      }
      if (this.#options.clock.monotonic() - began > attachLimitMs) {
        throw new OttoError(
          'WORKER_SILENT',
          `worker ${row.name} did not attach within ${attachLimitMs / 1000} s: ${await tail(logFile)}`,
        );
      }
      await this.#options.clock.sleep(50, signal);
    }
  }

  /** A child that ended without saying goodbye has lost what it had in hand: no need to wait for its lease. */
  async #exited(workerId: string, code: number | null, signal: string | null): Promise<void> {
    const note = `its process ended with ${signal ?? `status ${code}`}`;
    try {
      await this.#options.db.transaction().execute(async (tx) => {
        const lost = await tx
          .updateTable('workers')
          .set({ state: 'LOST', note })
          .where('id', '=', workerId)
          .where('how', '=', 'local')
          .where('state', 'in', ['STARTING', 'READY', 'DRAINING'])
          .returning('id')
          .executeTakeFirst();
        if (!lost) return;
        await tx
          .updateTable('attempts')
          .set({
            state: 'LOST',
            error: json({ code: 'WORKER_LOST', message: `the worker was lost: ${note}` }),
            ended_at: sql<Date>`now()`,
          })
          .where('worker_id', '=', workerId)
          .where('state', 'in', ['ASSIGNED', 'RUNNING'])
          .execute();
      });
    } catch (error) {
      // The sweeper finds it by its lease.
      this.#options.logger.debug(
        { err: error, worker: workerId },
        'the end of a worker could not be written',
      );
    }
  }

  async #row(workerId: string): Promise<WorkerRow> {
    const row = await this.#options.db
      .selectFrom('workers')
      .selectAll()
      .where('id', '=', workerId)
      .executeTakeFirst();
    if (!row) throw new OttoError('NO_SUCH_WORKER', `there is no worker ${workerId}`);
    return row;
  }
}

/**
 * A local worker outlives a control plane that is killed, and may look for it at an address that is gone. It holds the
 * folder that its successor needs.
 */
async function endPredecessor(row: WorkerRow, clock: Clock): Promise<void> {
  const { pid, host } = row.info;
  if (row.how !== 'local' || !pid || host !== hostname()) return;
  for (let waited = 0; await isWorker(pid, row.id); waited += 100) {
    // Politely first: it may be putting settings back.
    process.kill(pid, waited < 5_000 ? 'SIGTERM' : 'SIGKILL');
    await clock.sleep(100);
  }
}

/** Whether this process is that worker: its number alone may have been given to another. */
async function isWorker(pid: number, workerId: string): Promise<boolean> {
  const { stdout, exitCode } = await execa('ps', ['-p', String(pid), '-o', 'args='], { reject: false });
  return exitCode === 0 && stdout.includes(workerId);
}

function shellQuote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

async function tail(file: string | undefined): Promise<string> {
  if (!file) return 'no log';
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-5).join(' | ') || 'its log is empty';
}
