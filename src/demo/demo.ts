import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger, isAlive, type Logger, OttoError, type ProgressSink, readJson } from '../base/index.js';
import { connect } from '../postgres/index.js';
import { type ControlFile, type RunningSystem, startSystem } from '../server/index.js';
import { startDemoCluster } from './demo-cluster.js';
import { defaultCaptureSeconds, demoDag } from './demo-dag.js';
import { type DemoReport, reportOf } from './demo-report.js';
import { LiveLoad } from './live-load.js';

export interface DemoOptions {
  /** Emptied at the start: the demo begins anew each time. */
  dataDirectory: string;
  port: number;
  workerPort: number;
  captureSeconds?: number;
  /** Transactions offered per second. */
  rate?: number;
  /** Warehouses. */
  scale?: number;
  ottoCommand: readonly string[];
  webRoot: string;
  version: string;
  logger?: Logger;
  progress: ProgressSink;
  /** Called when the web UI can be opened. */
  onAddress(url: string): void;
  signal: AbortSignal;
}

export interface RunningDemo {
  url: string;
  /** The report of the demo's run, once it has ended. */
  report: DemoReport;
  stop(): Promise<void>;
}

const actor = { name: 'demo', role: 'admin' as const };

/** Brings up everything, drives the demo's DAG to its end, and leaves it all running until `stop`. */
export async function runDemo(options: DemoOptions): Promise<RunningDemo> {
  const { dataDirectory, progress, signal } = options;
  const logger = options.logger ?? createLogger({ name: 'demo', level: process.env.OTTO_LOG ?? 'error' });
  await refuseTwo(dataDirectory);
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) {
      await step().catch((error: unknown) =>
        logger.warn({ err: error }, 'a part of the demo could not be stopped'),
      );
    }
  };
  try {
    progress({ phase: 'starting the control plane' });
    const system = await startSystem({
      dataDirectory,
      server: { port: options.port, workerPort: options.workerPort, open: true, webRoot: options.webRoot },
      ottoCommand: options.ottoCommand,
      version: options.version,
      logger,
    });
    undo.push(() => system.stop());
    options.onAddress(system.url);
    const cluster = await startDemoCluster({
      directory: join(dataDirectory, 'cluster'),
      scale: options.scale ?? 0.2,
      logger,
      progress,
      signal,
    });
    undo.push(() => cluster.stop());
    progress({ phase: 'starting the live load' });
    const load = LiveLoad.start({
      ottoCommand: options.ottoCommand,
      url: cluster.primaryUrl,
      benchmark: 'tpcc',
      rate: options.rate ?? 30,
      connections: 6,
    });
    undo.push(() => load.stop());
    const target = await registerTarget(system, cluster);
    await transactionsFlow(system, target, load, signal);
    const runId = await system.control.runs.submit(
      { document: demoDag, target, parameters: { seconds: options.captureSeconds ?? defaultCaptureSeconds } },
      actor,
    );
    await ended(system, runId, load, progress, signal);
    return { url: system.url, report: await reportOf(system.control, runId, cluster), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Two demos in one folder would delete each other's databases. */
async function refuseTwo(dataDirectory: string): Promise<void> {
  const running = await readJson<ControlFile>(join(dataDirectory, 'control.json'));
  if (running && isAlive(running.pid)) {
    throw new OttoError('DEMO_RUNS', `a control plane already runs from ${dataDirectory}: ${running.url}`, {
      hint: 'Open it, stop it, or give this one another folder with --data.',
    });
  }
  await rm(join(dataDirectory, 'control.json'), { force: true });
}

async function registerTarget(
  system: RunningSystem,
  cluster: { primaryUrl: string; replicaUrl: string },
): Promise<string> {
  const { targets, db } = system.control;
  // From an earlier demo, whose servers are gone. Its runs keep their history.
  const old = await db
    .selectFrom('targets')
    .select('id')
    .where('name', '=', 'demo')
    .where('removed_at', 'is', null)
    .execute();
  for (const { id } of old)
    await db
      .updateTable('targets')
      .set({ name: `demo ${id}`, removed_at: new Date() })
      .where('id', '=', id)
      .execute();
  await db
    .updateTable('runs')
    .set({ cancel_requested_at: new Date(), cancel_requested_by: 'a new demo' })
    .where('ended_at', 'is', null)
    .execute();
  const row = await targets.add(
    { name: 'demo', url: cluster.primaryUrl, replicaUrl: cluster.replicaUrl, production: true },
    actor,
  );
  return row.id;
}

/** A capture of a load that has not begun would be empty. */
async function transactionsFlow(
  system: RunningSystem,
  targetId: string,
  load: LiveLoad,
  signal: AbortSignal,
): Promise<void> {
  const access = await system.control.targets.access(targetId);
  const client = await connect(access.primaryUrl);
  try {
    const began = performance.now();
    for (;;) {
      signal.throwIfAborted();
      load.check();
      const { rows } = await client.query<{ n: string }>(
        'select count(*) as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null',
      );
      if (Number(rows[0]!.n) > 0) return;
      if (performance.now() - began > 30_000)
        throw new OttoError('LOAD_SILENT', 'the live load sent nothing for 30 s');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    await client.end();
  }
}

async function ended(
  system: RunningSystem,
  runId: string,
  load: LiveLoad,
  progress: ProgressSink,
  signal: AbortSignal,
): Promise<void> {
  const { db, runs } = system.control;
  let cancelled = false;
  for (;;) {
    const run = await db
      .selectFrom('runs')
      .select(['state', 'ended_at'])
      .where('id', '=', runId)
      .executeTakeFirstOrThrow();
    if (run.ended_at) {
      signal.throwIfAborted();
      load.check();
      return;
    }
    if (signal.aborted && !cancelled) {
      cancelled = true;
      progress({ phase: 'cancelling: putting everything back' });
      await runs.cancel(runId, actor);
    }
    if (!cancelled) {
      const running = await db
        .selectFrom('commands')
        .select(['name', 'progress'])
        .where('run_id', '=', runId)
        .where('state', '=', 'RUNNING')
        .execute();
      const phase = running.map((command) => command.name).join(', ');
      if (phase !== '') progress({ ...running[0]?.progress, phase });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
