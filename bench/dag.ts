// What a command of a DAG costs beyond its own work, against the durable engine alone doing the same steps.

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DBOS } from '@dbos-inc/dbos-sdk';
import { z } from 'zod';
import { createLogger, newId, silentLogger, systemClock } from '../src/base/index.js';
import { CommandTypes, type Dag, DagEngine, defineCommandType } from '../src/dag/index.js';
import { findInstallations, PostgresInstance } from '../src/postgres/index.js';
import { type Database, json, Listener, migrate, openDatabase, openPool } from '../src/store/index.js';
import { report, spread } from './report.js';

const repeats = 5;

const nothing = defineCommandType({
  type: 'NOTHING',
  summary: 'Does nothing.',
  place: 'control',
  config: z.strictObject({}),
  output: z.object({}),
  defaultTimeoutMs: 60_000,
  onWorkerLost: 'retry',
});

/** Layers of commands, each below all of the layer before (or below one, in a chain). */
const shapes = {
  'chain of 100': { layers: 100, width: 1 },
  '10 × 10 layers': { layers: 10, width: 10 },
  'fan of 100': { layers: 1, width: 100 },
  '100 × 10 layers': { layers: 100, width: 10 },
  'fan of 1,000': { layers: 1, width: 1000 },
};

export async function main(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'otto-bench-'));
  // As root the server runs under another account, which must be able to pass through.
  await chmod(root, 0o755);
  const installation = (await findInstallations())[0]!;
  // A durable server (fsync on), as the product runs it.
  const server = await PostgresInstance.init({
    installation,
    dataDirectory: join(root, 'data'),
    auth: 'trust',
  });
  await server.start();
  const pool = openPool(server.url());
  await migrate(pool);
  const db = openDatabase(pool);
  const listener = new Listener(server.url());
  await listener.open();
  const bare = registerBare();
  const engine = new DagEngine({
    db,
    databaseUrl: server.url(),
    listener,
    types: new CommandTypes([nothing]),
    dispatcher: {
      place: () => Promise.resolve({ wait: '' }),
      carryOut: () => Promise.resolve({}),
      beforeRetry: () => Promise.resolve(),
      isAlive: () => Promise.resolve(true),
      finalise: () => Promise.resolve([]),
    },
    owner: newId('cp'),
    clock: systemClock,
    logger: process.env.OTTO_LOG ? createLogger({ name: 'bench' }) : silentLogger,
  });
  await engine.launch();
  try {
    const rows = [];
    const raw: Record<string, unknown> = {};
    for (const [name, { layers, width }] of Object.entries(shapes)) {
      const ours: number[] = [];
      const steps: number[] = [];
      const children: number[] = [];
      for (let repeat = 0; repeat <= repeats; repeat += 1) {
        // Interleaved, the first round thrown away.
        const round = [
          await time(() => runDag(db, engine, dagOf(layers, width))),
          await time(() => bare.steps(layers, width)),
          await time(() => bare.children(layers, width)),
        ];
        if (repeat === 0) continue;
        ours.push(round[0]!);
        steps.push(round[1]!);
        children.push(round[2]!);
      }
      const n = layers * width;
      const [a, b, c] = [spread(ours), spread(steps), spread(children)];
      rows.push({
        shape: name,
        'otto ms': a.median.toFixed(0),
        'per command ms': (a.median / n).toFixed(2),
        'DBOS steps ms': b.median.toFixed(0),
        'DBOS child workflows ms': c.median.toFixed(0),
        'otto / steps': (a.median / b.median).toFixed(2),
        'otto / children': (a.median / c.median).toFixed(2),
      });
      raw[name] = { commands: n, otto: a, steps: b, children: c };
    }
    report('dag', rows, { postgres: installation.version, repeats, raw });
  } finally {
    await engine.stop();
    await listener.close();
    await db.destroy();
    await server.destroy();
    await rm(root, { recursive: true, force: true });
  }
}

async function time(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function dagOf(layers: number, width: number): Dag {
  const name = (layer: number, index: number) => `c${layer}_${index}`;
  const commands = [];
  for (let layer = 0; layer < layers; layer += 1) {
    for (let index = 0; index < width; index += 1) {
      commands.push({
        name: name(layer, index),
        type: 'NOTHING',
        parents: layer === 0 ? [] : Array.from({ length: width }, (_, parent) => name(layer - 1, parent)),
        config: {},
        retry: { attempts: 1, backoffMs: 0, factor: 1, maxBackoffMs: 0 },
        when: 'all_succeeded',
        cleanup: false,
      });
    }
  }
  return { name: 'bench', version: '1', parameters: [], commands };
}

/** Submission, all commands, end: as `otto dag run` does it, less HTTP. */
async function runDag(db: Database, engine: DagEngine, dag: Dag): Promise<void> {
  const id = newId('run');
  await db
    .insertInto('runs')
    .values({ id, name: 'bench', dag: json(dag), document: '{}', parameters: '{}', created_by: 'bench' })
    .execute();
  await db
    .insertInto('commands')
    .values(
      dag.commands.map(({ name, type, parents }, ordinal) => ({ run_id: id, name, ordinal, type, parents })),
    )
    .execute();
  await engine.start(id, 0);
  for (;;) {
    const run = await db
      .selectFrom('runs')
      .select(['state', 'error'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    if (run.state === 'SUCCEEDED') return;
    if (run.state !== 'PENDING' && run.state !== 'RUNNING')
      throw new Error(`the run ended ${run.state}: ${JSON.stringify(run.error)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The same shapes in the durable engine alone: a checkpointed step, or a child workflow, for each command. */
function registerBare() {
  const child = DBOS.registerWorkflow(() => Promise.resolve(1), { name: 'bench-child' });
  const steps = DBOS.registerWorkflow(
    async (layers: number, width: number) => {
      for (let layer = 0; layer < layers; layer += 1) {
        await Promise.allSettled(
          Array.from({ length: width }, () => DBOS.runStep(() => Promise.resolve(1), { name: 'nothing' })),
        );
      }
    },
    { name: 'bench-steps' },
  );
  const children = DBOS.registerWorkflow(
    async (layers: number, width: number) => {
      for (let layer = 0; layer < layers; layer += 1) {
        const handles = [];
        for (let index = 0; index < width; index += 1) handles.push(await DBOS.startWorkflow(child)());
        await Promise.allSettled(handles.map((handle) => handle.getResult()));
      }
    },
    { name: 'bench-children' },
  );
  return {
    steps: async (layers: number, width: number) => await steps(layers, width),
    children: async (layers: number, width: number) => await children(layers, width),
  };
}
