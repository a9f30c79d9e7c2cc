import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/postgres/index.js';
import {
  startReplica,
  startTestPostgres,
  type TestPostgres,
  testFolder,
} from '../../src/postgres/testing/index.js';
import { type Otto, runOtto, startOtto, waitFor } from './support/otto.js';

interface Run {
  id: string;
  state: string;
  commands: { name: string; state: string; artifacts: { id: string; kind: string }[]; output?: unknown }[];
}

let folder: string;
let primary: TestPostgres;
let replica: TestPostgres;
let otto: Otto;
let load: { stop(): Promise<void> };

beforeAll(async () => {
  folder = await testFolder();
  [primary, otto] = await Promise.all([
    startTestPostgres({ settings: { logging_collector: 'on' } }),
    startOtto(join(folder, 'data')),
  ]);
  replica = await startReplica(primary);
  load = await startLoad(primary.url);
});

afterAll(async () => {
  await otto?.stop();
  await load?.stop();
  await replica?.stop();
  await primary?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('the command line on a running control plane', { timeout: 150_000 }, () => {
  it('adds a target from environment and file, and shows it', async () => {
    const file = join(folder, 'replica.url');
    await writeFile(file, `${replica.url}\n`, { mode: 0o600 });
    const added = await otto.json<{ name: string; state: string; replicaAddress: { port: number } }>(
      ['db', 'add', 'shop', '--replica-url-file', file],
      { env: { OTTO_URL: primary.url } },
    );
    expect(added).toMatchObject({
      name: 'shop',
      state: 'HEALTHY',
      replicaAddress: { port: replica.instance.port },
    });
    const [list, check, show, again, nowhere] = await Promise.all([
      otto.json<{ name: string }[]>(['db', 'list']),
      otto.cli(['db', 'check', 'shop']),
      otto.cli(['db', 'show', 'shop']),
      otto.cli(['db', 'add', 'shop', '--json'], { env: { OTTO_URL: primary.url } }),
      otto.cli(['db', 'check', 'shoop', '--json']),
    ]);
    expect(list.map(({ name }) => name)).toEqual(['shop']);
    expect(check).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/capture by log: possible/) });
    expect(show.stdout).toMatch(/state +HEALTHY/);
    expect(again.exitCode).not.toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ error: { message: expect.stringContaining('shop') } });
    expect(nowhere.exitCode).toBe(2);
    expect(JSON.parse(nowhere.stdout)).toMatchObject({
      error: { code: 'NOT_FOUND', hint: expect.stringMatching(/shop/) },
    });
  });

  it('runs the original’s format unchanged, and follows it', async () => {
    const followed = await otto.cli([
      'dag',
      'run',
      'docs/dags/sample.json',
      '--target',
      'shop',
      '--follow',
      '--json',
    ]);
    expect(followed.stderr).toBe('');
    expect(followed.exitCode).toBe(0);
    const items = followed.stdout.split('\n').map((line) => JSON.parse(line) as { type: string; run?: Run });
    expect(items[0]).toMatchObject({ type: 'started' });
    expect(items.at(-1)).toMatchObject({ type: 'end', run: { state: 'SUCCEEDED' } });
    expect(items.at(-1)?.run?.commands.map(({ state }) => state)).toEqual(Array(6).fill('SUCCEEDED'));
    const { id } = items.at(-1)!.run!;
    const status = await otto.cli(['dag', 'status', id]);
    expect(status.exitCode).toBe(0);
    expect(status.stdout).toMatch(/capture_primary_workload +CAPTURE_PRIMARY_WORKLOAD +SUCCEEDED/);
  });

  it('captures, copies, replays and measures by docs/dags/replay.yaml; what it made can be fetched', async () => {
    const started = await otto.json<Run>([
      ...['dag', 'run', 'docs/dags/replay.yaml', '--target', 'shop'],
      ...['--param', 'capture_for=3s', '--param', 'speed=2'],
    ]);
    const followed = await otto.cli(['dag', 'status', started.id, '--follow']);
    expect(followed).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/state +SUCCEEDED/) });
    const run = await otto.json<Run>(['dag', 'status', started.id]);
    expect(run.commands.map(({ name, state }) => `${name} ${state}`)).not.toContain('replay SKIPPED');

    const captures = await otto.json<{ id: string; runId: string }[]>(['workload', 'list']);
    const capture = captures.find(({ runId }) => runId === started.id)!;
    const shown = await otto.cli(['workload', 'show', capture.id]);
    expect(shown.stdout).toMatch(/TOTAL MS +CALLS/);
    expect(shown.stdout).toMatch(/SELECT count/i);
    const out = join(folder, 'workload.parquet');
    const exported = await otto.json<{ sha256: string }>(['workload', 'export', capture.id, '--out', out]);
    const bytes = await readFile(out);
    expect(bytes.subarray(0, 4).toString()).toBe('PAR1');
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(exported.sha256);
    expect(await otto.cli(['workload', 'export', capture.id, '--out', out])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/exists[\s\S]*--out/),
    });

    const artifacts = await otto.json<{ id: string; kind: string }[]>([
      'artifact',
      'list',
      '--run',
      started.id,
    ]);
    expect(artifacts.length).toBeGreaterThanOrEqual(4);
    const replay = artifacts.find(({ kind }) => kind.startsWith('replay'))!;
    const report = await otto.cli(['artifact', 'download', replay.id, '--out', '-']);
    expect(JSON.parse(report.stdout)).toMatchObject({ statements: expect.any(Number) });
    expect((await otto.cli(['artifact', 'show', replay.id])).stdout).toContain(replay.id);
  });

  it('captures by itself', async () => {
    const captured = await otto.cli(['workload', 'capture', '--target', 'shop', '--time', '1s', '--follow']);
    expect(captured).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/state +SUCCEEDED/) });
  });

  it('cancels, resumes and runs again; stops a clone, drains a worker', async () => {
    const document = join(folder, 'kept.yaml');
    await writeFile(
      document,
      `name: kept
commands:
  - { command_type: LAUNCH_EXPLORATORY_WORKER, command_name: worker, parent_command_names: [], config: { keep: true, name: mine } }
  - { command_type: LAUNCH_EXPLORATORY_POSTGRES, command_name: copy, parent_command_names: [worker], config: { keep: true } }
  - { command_type: LAUNCH_PRIMARY_WORKER, command_name: primary, parent_command_names: [copy] }
  - { command_type: CAPTURE_PRIMARY_WORKLOAD, command_name: capture, parent_command_names: [primary], config: { time_period: 1h }, timeout: 2h }
`,
    );
    const { id } = await otto.json<Run>(['dag', 'run', document, '--target', 'shop']);
    await waitFor('it captures', async () => {
      const run = await otto.json<Run>(['dag', 'status', id]);
      return run.commands.find(({ name }) => name === 'capture')?.state === 'RUNNING';
    });
    const [busy] = await Promise.all([otto.cli(['db', 'remove', 'shop'])]);
    expect(busy).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/shop/) });
    const cancelled = await otto.cli(['dag', 'cancel', id, '--follow']);
    expect(cancelled).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/state +CANCELLED/) });

    const resumed = await otto.json<Run>(['dag', 'resume', id]);
    expect(resumed.id).toBe(id);
    await otto.json(['dag', 'cancel', id]);
    const ended = await otto.cli(['dag', 'status', id, '--follow', '--json']);
    expect(ended.exitCode).toBe(1);
    expect(JSON.parse(ended.stdout.split('\n').at(-1)!)).toMatchObject({
      type: 'end',
      run: { state: 'CANCELLED' },
    });

    const clones = await otto.json<{ id: string; state: string; runId: string }[]>(['clone', 'list']);
    const kept = clones.find(({ runId, state }) => runId === id && state === 'READY')!;
    await otto.json(['clone', 'stop', kept.id]);
    expect(
      (await otto.json<typeof clones>(['clone', 'list'])).find((each) => each.id === kept.id)?.state,
    ).toBe('STOPPED');
    await otto.json(['worker', 'drain', 'mine']);
    await waitFor('the worker has ended', async () => {
      const workers = await otto.json<{ name: string; state: string }[]>(['worker', 'list']);
      return workers.find(({ name }) => name === 'mine')?.state === 'STOPPED';
    });

    const empty = await otto.json<Run>(['dag', 'run', '-', '--target', 'shop'], {
      input: launchOnly('again'),
    });
    expect((await otto.cli(['dag', 'status', empty.id, '--follow'])).exitCode).toBe(0);
    const again = await otto.cli(['dag', 'rerun', empty.id, '--follow']);
    expect(again.exitCode).toBe(0);
    expect(again.stdout).not.toContain(empty.id);
  });

  it('runs by the clock, every second, but never over itself', async () => {
    const document = join(folder, 'tick.json');
    await writeFile(document, launchOnly('tick'));
    await otto.json([
      'schedule',
      'add',
      'tick',
      '* * * * * *',
      document,
      '--target',
      'shop',
      '--overlap',
      'skip',
    ]);
    const wrong = await otto.cli(['schedule', 'add', 'never', 'every day', document, '--json']);
    expect(wrong.exitCode).toBe(2);
    expect(JSON.parse(wrong.stdout)).toMatchObject({ error: { message: expect.stringMatching(/cron/) } });
    type Listed = { name: string; state: string; createdAt: string; startedAt: string; endedAt?: string };
    const ticks = async () =>
      (await otto.json<Listed[]>(['dag', 'list'])).filter(({ name }) => name === 'tick');
    await waitFor(
      'it has run twice',
      async () => (await ticks()).filter(({ endedAt }) => endedAt).length >= 2,
    );
    await otto.json(['schedule', 'disable', 'tick']);
    const runs = (await ticks()).sort((a, b) => a.createdAt.localeCompare(b.createdAt));
    for (const [index, run] of runs.entries()) {
      const before = runs[index - 1];
      if (before) expect(Date.parse(run.createdAt)).toBeGreaterThanOrEqual(Date.parse(before.endedAt!));
    }
    await waitFor('the last has ended', async () =>
      (await ticks()).every(({ endedAt }) => endedAt !== undefined),
    );
    await otto.json(['schedule', 'remove', 'tick']);
    expect(await otto.json(['schedule', 'list'])).toEqual([]);
  });

  it('gives tokens their roles, takes them away, and keeps the audit', async () => {
    const viewer = await otto.json<{ id: string; token: string }>([
      'token',
      'create',
      'guest',
      '--role',
      'viewer',
    ]);
    const env = { OTTO_TOKEN: viewer.token };
    expect((await otto.cli(['dag', 'list'], { env })).exitCode).toBe(0);
    const refused = await otto.cli(['db', 'remove', 'shop', '--json'], { env });
    expect(refused.exitCode).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'FORBIDDEN' } });
    await otto.json(['token', 'revoke', 'guest']);
    const gone = await otto.cli(['dag', 'list'], { env });
    expect(gone).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/token[\s\S]*OTTO_TOKEN/) });
    const audit = await otto.json<{ actor: string; action: string; outcome: string }[]>([
      'audit',
      '--limit',
      '500',
    ]);
    const seen = audit.map(({ actor, action, outcome }) => `${actor} ${action} ${outcome}`);
    expect(seen).toEqual(
      expect.arrayContaining([
        'guest target.remove refused',
        ...['target.add', 'token.issue', 'token.revoke', 'run.submit', 'run.cancel', 'clone.stop'].map(
          (action) => `admin of this machine ${action} done`,
        ),
      ]),
    );
    const tokens = JSON.stringify(await otto.json(['token', 'list']));
    expect(tokens).not.toContain(viewer.token);
  });

  it('removes the target, and says where to find what is missing', async () => {
    expect(await otto.json(['db', 'remove', 'shop'])).toMatchObject({ removed: true, name: 'shop' });
    expect(await otto.json(['db', 'list'])).toEqual([]);
    const [unknown, file, document, nobody] = await Promise.all([
      otto.cli(['dag', 'run', 'docs/dags/sample.json', '--target', 'shop']),
      otto.cli(['dag', 'run', 'nowhere.yaml']),
      otto.cli(['dag', 'run', '-'], { input: '[{"command_type":"LAUNCH"}]' }),
      runOtto(['dag', 'list'], { env: { OTTO_DATA: join(folder, 'nowhere') } }),
    ]);
    expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/no target "?shop/) });
    expect(file).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/nowhere\.yaml cannot be read \(ENOENT\)/),
    });
    expect(document).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/command_type.*"LAUNCH"/) });
    expect(nobody).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/otto up/) });
  });
});

function launchOnly(name: string): string {
  const launch = {
    command_type: 'LAUNCH_EXPLORATORY_WORKER',
    command_name: 'worker',
    parent_command_names: [],
  };
  return JSON.stringify({ name, commands: [launch] });
}

/** Small statements, one after the other, so that there is something to capture. */
async function startLoad(url: string): Promise<{ stop(): Promise<void> }> {
  const client = await connect(url, { applicationName: 'load' });
  await client.query(
    'create table orders (id bigint generated always as identity primary key, total numeric)',
  );
  let running = true;
  const work = (async () => {
    while (running) {
      await client.query('insert into orders (total) values ($1)', [Math.random()]);
      await client.query('select count(*) from orders where total > $1', [0.5]);
    }
  })();
  return {
    async stop() {
      running = false;
      await work;
      await client.end();
    },
  };
}
