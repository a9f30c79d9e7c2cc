import { spawn } from 'node:child_process';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { type Clock, type Logger, newId, OttoError } from '../../base/index.js';
import { type Database, json, type WorkerKind, type WorkerRow } from '../../store/index.js';
import { type LaunchOrder, launchOrderText } from '../../workers/index.js';
import type { Tokens } from '../services/tokens.js';
import { type CommandLine, type LaunchPlan, localCommandLine, sshCommandLine } from './launch-plan.js';
import { endPredecessor, explainEnd, isRunning, type Launched, saidBy } from './launched.js';
import { allocatedPort } from './ssh-log.js';

export interface LauncherOptions {
  db: Database;
  /** Id of this control plane. */
  controlPlaneId: string;
  tokens: Pick<Tokens, 'issue'>;
  /** Program and first arguments that run `otto`. */
  ottoCommand: readonly string[];
  /** Further flags of workers on this machine, such as `--plugin FILE`. */
  localFlags?: readonly string[];
  /** Where local workers keep their roots, and all of them their logs. */
  workersRoot: string;
  /** The worker listener's address, as a process on this machine reaches it. Known once the server listens. */
  workerUrl: () => string;
  /** PEM file of the certificate authority that launched workers trust. */
  caFile?: string;
  /** The name in the listener's certificate, where `workerUrl` has another. */
  tlsName?: () => string | undefined;
  clock: Clock;
  logger: Logger;
}

const attachLimitMs = 60_000;
/** How long a process that lost its lease may take to come back before it is replaced. */
const comeBackMs = 15_000;
const lookMs = 50;
/** How often a process that is killed before it is attached is started again. */
const mostDeaths = 3;
/** How often it asks whether the control plane that was starting a worker is gone. */
const claimMs = 500;

/** Starts worker processes, here or over SSH, and knows which of them are its children. */
export class WorkerLauncher {
  readonly #options: LauncherOptions;
  readonly #launched = new Map<string, Launched>();
  /** Starts under way: two callers must not make two processes of one worker. */
  readonly #starting = new Map<string, Promise<boolean>>();

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
  async ensure(workerId: string, signal: AbortSignal, deaths = 0): Promise<WorkerRow> {
    const row = await this.#row(workerId);
    if (isAttached(row)) return row;
    if (row.how === 'manual') {
      throw new OttoError('WORKER_LOST', `worker ${row.name} is ${row.state} and was started by hand`, {
        hint: 'Start it again with the command that started it.',
        transient: true,
      });
    }
    // Its root, and what it holds there, is not on this machine.
    if (row.how === 'local' && row.info.host !== undefined && row.info.host !== hostname()) {
      throw new OttoError(
        'WORKER_ELSEWHERE',
        `worker ${row.name} is ${row.state} and belongs to the machine ${row.info.host}`,
        { hint: 'A control plane on that machine starts it again.', transient: true },
      );
    }
    if (row.state === 'LOST' && this.#isRunning(workerId)) {
      // Frozen or cut off, and perhaps back in a moment.
      const back = await this.#attached(workerId, signal, comeBackMs).catch((error: unknown) => {
        if (error instanceof OttoError) return undefined;
        throw error;
      });
      if (back) return back;
      await this.reap(workerId);
    }
    const began = this.#options.clock.monotonic();
    while (!this.#isRunning(workerId) && !(await this.#startOnce(row))) {
      if (isAttached(await this.#row(workerId))) break;
      if (this.#options.clock.monotonic() - began > attachLimitMs) break;
      await this.#options.clock.sleep(claimMs, signal);
    }
    try {
      return await this.#attached(workerId, signal, attachLimitMs);
    } catch (error) {
      // Somebody killed it: that says nothing about the next one.
      const killed = this.#launched.get(workerId)?.child.signalCode != null;
      if (!killed || signal.aborted || deaths >= mostDeaths) throw error;
      return await this.ensure(workerId, signal, deaths + 1);
    }
  }

  /** Ends the process of a worker, if it is ours or another control plane left it here: politely, then not. */
  async reap(workerId: string, limitMs = 10_000): Promise<void> {
    const launched = this.#launched.get(workerId);
    if (!launched || !isRunning(launched.child)) {
      const row = await this.#row(workerId);
      if (row.how === 'local' && !isAttached(row)) await endPredecessor(row, this.#options.clock);
      return;
    }
    const { child, plan } = launched;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    // The end of ssh would not end the worker: it is asked through it.
    if (plan.how === 'ssh' && child.stdin?.writable) child.stdin.write(launchOrderText.drain);
    else child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    await ended;
    clearTimeout(timer);
  }

  /** The ids of the workers whose processes are children of this one and run. */
  children(): string[] {
    return [...this.#launched.keys()].filter((id) => this.#isRunning(id));
  }

  #isRunning(workerId: string): boolean {
    const launched = this.#launched.get(workerId);
    return launched !== undefined && isRunning(launched.child);
  }

  /** False where another control plane is at it. */
  async #startOnce(row: WorkerRow): Promise<boolean> {
    let starting = this.#starting.get(row.id);
    if (!starting) {
      starting = this.#start(row).finally(() => this.#starting.delete(row.id));
      this.#starting.set(row.id, starting);
    }
    return await starting;
  }

  /** Takes the start for this control plane, unless one that is alive is at it: two processes would fight for one root. */
  async #claim(row: WorkerRow): Promise<boolean> {
    const { db, controlPlaneId } = this.#options;
    const claimed = await db
      .updateTable('workers')
      .set({ state: 'STARTING', control_plane_id: controlPlaneId, stopped_at: null, note: null })
      .where('id', '=', row.id)
      .where((where) =>
        where.or([
          where('state', 'in', ['LOST', 'STOPPED']),
          where.and([
            where('state', '=', 'STARTING'),
            where.or([
              where('control_plane_id', 'is', null),
              where('control_plane_id', '=', controlPlaneId),
              where('control_plane_id', 'not in', (alive) =>
                alive.selectFrom('control_planes').select('id').where('stopped_at', 'is', null),
              ),
            ]),
          ]),
        ]),
      )
      .returning('id')
      .executeTakeFirst();
    return claimed !== undefined;
  }

  async #start(row: WorkerRow): Promise<boolean> {
    if (!(await this.#claim(row))) return false;
    const plan = row.launch as LaunchPlan;
    if (plan.how === 'local') await endPredecessor(row, this.#options.clock);
    const { token, tokenId } = await this.#issueToken(row);
    const folder = join(this.#options.workersRoot, row.id);
    await mkdir(folder, { recursive: true });
    const logFile = join(folder, 'worker.log');
    const sshLogFile = join(folder, 'ssh.log');
    const order = await this.#order(token, plan);
    if (plan.how === 'ssh') await writeFile(sshLogFile, '', { mode: 0o600 });
    const output = await open(logFile, 'a', 0o600);
    try {
      const logFrom = (await output.stat()).size;
      const { program, args } = this.#commandLine(row, plan, sshLogFile);
      const child = spawn(program, args, {
        stdio: ['pipe', output.fd, output.fd],
        // Its own group: Ctrl-C in our terminal is ours to pass on.
        detached: true,
      });
      const launched: Launched = { child, plan, tokenId, logFile, logFrom, sshLogFile };
      this.#launched.set(row.id, launched);
      child.on('error', (error) => {
        launched.failure = error;
      });
      child.on('exit', (code, signal) => void this.#exited(row.id, launched, signal ?? `status ${code}`));
      child.stdin?.on('error', (error) =>
        this.#options.logger.debug({ err: error, worker: row.id }, 'a worker no longer reads its stdin'),
      );
      child.unref();
      void this.#give(launched, order).catch((error: unknown) =>
        this.#options.logger.warn({ err: error, worker: row.id }, 'a worker could not be given its order'),
      );
      return true;
    } finally {
      await output.close();
    }
  }

  #commandLine(row: WorkerRow, plan: LaunchPlan, logFile: string): CommandLine {
    const { ottoCommand, localFlags: flags = [] } = this.#options;
    if (plan.how === 'local') return localCommandLine(row, plan.root, { ottoCommand, flags });
    const { hostname: host, port } = new URL(this.#options.workerUrl());
    return sshCommandLine(row, plan, { host, port, logFile });
  }

  async #order(token: string, plan: LaunchPlan): Promise<LaunchOrder> {
    const { caFile, tlsName, workerUrl } = this.#options;
    const server = workerUrl();
    const { protocol, hostname: host } = new URL(server);
    // Through the tunnel it is 127.0.0.1 for the worker, and still the same certificate.
    const serverName = tlsName?.() ?? (plan.how === 'ssh' ? host.replace(/^\[(.*)\]$/, '$1') : undefined);
    if (protocol === 'http:') return { server, token, insecure: true };
    return {
      server,
      token,
      ...(caFile !== undefined && { ca: await readFile(caFile, 'utf8') }),
      ...(serverName !== undefined && { serverName }),
    };
  }

  /** Hands over address and token; over SSH as soon as the port at the other end is known. */
  async #give(launched: Launched, order: LaunchOrder): Promise<void> {
    const { child, plan, sshLogFile } = launched;
    let { server } = order;
    if (plan.how === 'ssh') {
      let port: string | undefined;
      while (port === undefined) {
        if (!isRunning(child)) return;
        await this.#options.clock.sleep(lookMs);
        port = allocatedPort(await readFile(sshLogFile, 'utf8'));
      }
      server = `${new URL(server).protocol}//127.0.0.1:${port}`;
    }
    child.stdin?.write(launchOrderText.order({ ...order, server }));
  }

  async #issueToken(row: WorkerRow): Promise<{ token: string; tokenId: string }> {
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
    return { token, tokenId: issued.id };
  }

  async #attached(workerId: string, signal: AbortSignal, limitMs: number): Promise<WorkerRow> {
    const began = this.#options.clock.monotonic();
    for (;;) {
      signal.throwIfAborted();
      const row = await this.#row(workerId);
      if (isAttached(row)) return row;
      const launched = this.#launched.get(workerId);
      if (launched && !isRunning(launched.child)) throw await explainEnd(row, launched);
      if (row.state === 'STOPPED') throw new OttoError('WORKER_STOPPED', `worker ${row.name} was stopped`);
      if (this.#options.clock.monotonic() - began > limitMs) {
        const said = launched ? await saidBy(launched) : 'another control plane starts it';
        throw new OttoError(
          'WORKER_SILENT',
          `worker ${row.name} did not attach within ${limitMs / 1000} s: ${said}`,
          {
            transient: true,
            ...(launched && { hint: `Its log is ${launched.logFile}.` }),
          },
        );
      }
      await this.#options.clock.sleep(lookMs, signal);
    }
  }

  /**
   * A process that ended without saying goodbye has lost what it had in hand: no need to wait for its lease. Where ssh
   * ended, so has the tunnel that the worker needs.
   */
  async #exited(workerId: string, { tokenId, plan }: Launched, how: string): Promise<void> {
    const note =
      plan.how === 'ssh' ? `its SSH connection ended with ${how}` : `its process ended with ${how}`;
    try {
      await this.#options.db.transaction().execute(async (tx) => {
        const lost = await tx
          .updateTable('workers')
          .set({ state: 'LOST', note })
          .where('id', '=', workerId)
          // Not when another process took its place.
          .where('token_id', '=', tokenId)
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

function isAttached(row: WorkerRow): boolean {
  return row.state === 'READY' || row.state === 'DRAINING';
}
