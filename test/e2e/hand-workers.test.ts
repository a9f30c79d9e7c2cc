import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres, testFolder } from '../../src/postgres/testing/index.js';
import { endOf, readRun, submit, workersOf } from './support/api.js';
import {
  type CliOptions,
  type Otto,
  type OttoProcess,
  spawnOtto,
  startOtto,
  waitFor,
} from './support/otto.js';

let folder: string;
let postgres: TestPostgres;
let otto: Otto;
let tokenFile: string;
const started: OttoProcess[] = [];

beforeAll(async () => {
  folder = await testFolder();
  [postgres, otto] = await Promise.all([
    startTestPostgres({ settings: { logging_collector: 'on' } }),
    startOtto(join(folder, 'data')),
  ]);
  await otto.json(['db', 'add', 'shop'], { env: { OTTO_URL: postgres.url } });
  tokenFile = join(folder, 'worker.token');
  await writeFile(tokenFile, (await otto.cli(['token', 'create', 'by hand', '--role', 'worker'])).stdout, {
    mode: 0o600,
  });
});

afterEach(async () => {
  for (const worker of started) worker.kill('SIGKILL');
  await Promise.all(started);
  started.length = 0;
});

afterAll(async () => {
  await otto?.stop();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a worker started by hand', { timeout: 120_000 }, () => {
  it('serves a DAG that names it and one that launches none; drained by SIGTERM, it ends what it does first', async () => {
    const exploratory = await worker('exploratory', 'one');
    const primary = await worker('primary', 'two');
    const running = {
      command_type: 'LAUNCH_EXPLORATORY_WORKER',
      command_name: 'worker',
      parent_command_names: [],
      config: { how: 'running', worker: 'one' },
    };
    const copy = (parents: string[]) => ({
      command_type: 'LAUNCH_EXPLORATORY_POSTGRES',
      command_name: 'copy',
      parent_command_names: parents,
    });
    const runs = await Promise.all([
      submit(otto, [running, copy(['worker'])], 'shop'),
      submit(otto, [copy([])], 'shop'),
      submit(otto, [{ ...running, config: { how: 'running', worker: 'none' } }], 'shop'),
    ]);
    const [named, unnamed, missing] = await Promise.all(runs.map((run) => endOf(otto, run)));
    expect(named).toMatchObject({ state: 'SUCCEEDED' });
    expect(unnamed).toMatchObject({ state: 'SUCCEEDED' });
    const { id } = (await find('one'))!;
    expect(named?.commands.find(({ name }) => name === 'copy')?.workerId).toBe(id);
    expect(unnamed?.commands[0]?.workerId).toBe(id);
    expect(missing?.commands[0]?.error).toMatchObject({
      code: 'WORKER_NOT_FOUND',
      hint: expect.stringMatching(/otto worker exploratory .*--name none/),
    });
    // Workers of people outlive runs.
    expect((await find('one'))?.state).toBe('READY');

    const capture = await submit(otto, [captureFor(4)], 'shop');
    await isRunning(capture, 'capture');
    primary.kill('SIGTERM');
    const [{ exitCode, stdout }, ended] = await Promise.all([primary.ended, endOf(otto, capture)]);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^ended: it was told to drain/),
    });
    expect(ended.state).toBe('SUCCEEDED');
    expect(ended.commands[0]?.attempts).toHaveLength(1);
    expect((await find('two'))?.state).toBe('STOPPED');
    exploratory.kill('SIGTERM');
    expect((await exploratory.ended).exitCode).toBe(0);
  });

  it('is drained by the command line, and waits for what it does', async () => {
    const primary = await worker('primary', 'three');
    const capture = await submit(otto, [captureFor(4)], 'shop');
    await isRunning(capture, 'capture');
    await otto.json(['worker', 'drain', 'three']);
    expect((await find('three'))?.state).toBe('DRAINING');
    const later = await submit(otto, [captureFor(1)], 'shop');
    const [{ exitCode, stdout }, ended] = await Promise.all([primary.ended, endOf(otto, capture)]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ended: the control plane told it to drain/);
    expect(ended.state).toBe('SUCCEEDED');
    const waiting = await readRun(otto, later);
    expect(waiting.commands[0]).toMatchObject({
      state: 'READY',
      reason: expect.stringMatching(/no primary worker/),
    });
    await otto.json(['dag', 'cancel', later]);
    expect((await endOf(otto, later)).state).toBe('CANCELLED');
  });

  it('is ended by the end of its token, and what it changed is put back', async () => {
    const own = await otto.json<{ token: string; id: string }>([
      'token',
      'create',
      'short',
      '--role',
      'worker',
    ]);
    const primary = await worker('primary', 'four', { env: { OTTO_WORKER_TOKEN: own.token } });
    const before = await autoConf();
    const capture = await submit(otto, [captureFor(600)], 'shop');
    await waitFor('settings are changed', async () => (await autoConf()) !== before);
    await otto.json(['token', 'revoke', own.id]);
    const { exitCode, stderr } = await primary.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/otto: .*token.*revoked/);
    expect((await find('four'))?.state).toBe('LOST');
    await otto.json(['dag', 'cancel', capture]);
    await endOf(otto, capture);
    await waitFor('settings are put back', async () => (await autoConf()) === before);
    const again = spawnWorker('primary', 'four', { env: { OTTO_WORKER_TOKEN: own.token } });
    expect(await again).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/token/) });
  });

  it('is refused where it cannot be: a root in use, a token of another role, no address', async () => {
    await worker('exploratory', 'five');
    const viewer = await otto.json<{ token: string }>(['token', 'create', 'looker', '--role', 'viewer']);
    const [second, role, address, clear] = await Promise.all([
      spawnWorker('exploratory', 'five'),
      spawnWorker('exploratory', 'six', { env: { OTTO_WORKER_TOKEN: viewer.token } }),
      spawnOtto(['worker', 'primary', '--token-file', tokenFile, '--root', join(folder, 'seven')]),
      spawnOtto([
        ...['worker', 'primary', '--token-file', tokenFile, '--root', join(folder, 'eight')],
        ...['--server', 'http://192.0.2.1:7118'],
      ]),
    ]);
    expect(second).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/in use by the worker with pid \d+\nGive each worker its own root/),
    });
    expect(role).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/viewer/) });
    expect(address).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/--server/) });
    expect(clear).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/in the clear[\s\S]*https/) });
    expect((await find('five'))?.state).toBe('READY');
  });
});

function spawnWorker(kind: 'primary' | 'exploratory', name: string, options: CliOptions = {}): OttoProcess {
  const token = options.env?.OTTO_WORKER_TOKEN === undefined ? ['--token-file', tokenFile] : [];
  const child = spawnOtto(
    ['worker', kind, '--server', otto.workerUrl, '--name', name, '--root', join(folder, name), ...token],
    { limitMs: 300_000, ...options },
  );
  started.push(child);
  return child;
}

/** Started and attached. */
async function worker(
  kind: 'primary' | 'exploratory',
  name: string,
  options: CliOptions = {},
): Promise<{ kill: OttoProcess['kill']; ended: OttoProcess }> {
  const child = spawnWorker(kind, name, options);
  await waitFor(`worker ${name} is attached`, async () => (await find(name))?.state === 'READY');
  // Not the process itself: it is a promise, and would be waited for.
  return { kill: child.kill.bind(child), ended: child };
}

async function find(name: string) {
  return (await workersOf(otto)).find((each) => each.name === name);
}

function captureFor(seconds: number) {
  return {
    command_type: 'CAPTURE_PRIMARY_WORKLOAD',
    command_name: 'capture',
    parent_command_names: [],
    config: { time_period: seconds },
  };
}

/** The worker itself has begun with it. */
async function isRunning(run: string, command: string): Promise<void> {
  await waitFor(`${command} runs`, async () => {
    const found = (await readRun(otto, run)).commands.find(({ name }) => name === command);
    return found?.attempts.at(-1)?.state === 'RUNNING';
  });
}

async function autoConf(): Promise<string> {
  return await readFile(join(postgres.instance.dataDirectory, 'postgresql.auto.conf'), 'utf8');
}
