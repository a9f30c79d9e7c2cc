import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { exists, isAlive, systemClock } from '../base/index.js';
import { withConnection } from './connect.js';
import { findInstallations, type Installation, installationFor } from './installations.js';
import { PostgresInstance } from './instance.js';
import { isPostmasterOf, readPidFile } from './postmaster.js';
import { serverAccount, spawnAs } from './run-as.js';
import { startTestPostgres, type TestPostgres, testFolder } from './testing/index.js';

const majors = [...new Set((await findInstallations()).map(({ major }) => major))].filter(
  (major) => major === 15 || major === 18,
);

const answer = (instance: PostgresInstance) =>
  withConnection(
    instance.url(),
    {},
    async (client) => (await client.query('select 42 as answer')).rows[0].answer,
  );

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('the condition never came true');
    await systemClock.sleep(5);
  }
}

let root: string;
beforeAll(async () => {
  root = await testFolder();
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe.each(majors)('PostgreSQL %i', (major) => {
  let installation: Installation;
  let server: TestPostgres | undefined;
  const options = () => ({ installation, dataDirectory: server!.instance.dataDirectory });
  beforeAll(async () => {
    installation = await installationFor(major);
  });
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  test('a new cluster: only with the password, only on this machine, gone without a trace', async () => {
    const dataDirectory = join(root, `new-${major}`);
    const instance = await PostgresInstance.init({
      installation,
      dataDirectory,
      settings: { work_mem: '5MB', fsync: 'off' },
    });
    expect(instance.password).toMatch(/^.{20,}$/);
    expect(() => instance.port).toThrow(/not been started/);
    await instance.start();
    await withConnection(instance.url(), {}, async (client) => {
      const { rows } = await client.query(
        "select name, setting from pg_settings where name in ('listen_addresses', 'work_mem', 'password_encryption') order by 1",
      );
      expect(rows.map(({ setting }) => setting)).toEqual(['127.0.0.1', 'scram-sha-256', '5120']);
      await client.query("alter system set work_mem = '6MB'");
      await client.query('select pg_reload_conf()');
    });
    await withConnection(instance.url(), {}, async (client) => {
      expect((await client.query('show work_mem')).rows[0].work_mem).toBe('6MB');
    });
    const open = instance.url().replace(/:[^:@]*@/, '@');
    await expect(withConnection(open, {}, async () => 0)).rejects.toMatchObject({ code: 'AUTH_FAILED' });
    const { port, pid } = instance;
    await instance.restart();
    expect(instance.port).toBe(port);
    expect(instance.pid).not.toBe(pid);
    expect((await stat(dataDirectory)).mode & 0o777).toBe(0o700);
    await expect(PostgresInstance.init({ installation, dataDirectory })).rejects.toMatchObject({
      code: 'FOLDER_NOT_EMPTY',
    });
    expect(await instance.destroy()).toBeGreaterThan(10_000_000);
    expect(await exists(dataDirectory)).toBe(false);
    expect(isAlive(instance.pid ?? 2 ** 30)).toBe(false);
    expect(await instance.destroy()).toBe(0);
  });

  test('starting twice, and stopping twice, is harmless', async () => {
    server = await startTestPostgres({ major });
    const { pid, port } = server.instance;
    await server.instance.start();
    const other = PostgresInstance.at(options());
    await Promise.all([other.start(), PostgresInstance.at(options()).start()]);
    expect([other.pid, other.port, server.instance.pid]).toEqual([pid, port, pid]);
    for (const mode of ['smart', 'fast', 'immediate'] as const) {
      await other.stop(mode);
      await other.stop(mode);
      expect(await server.instance.isRunning()).toBe(false);
      await other.start();
    }
    expect(await answer(other)).toBe(42);
  });

  test('recovers after kill -9 of the server, sessions running', async () => {
    server = await startTestPostgres({ major });
    const { instance } = server;
    await withConnection(instance.url(), {}, (client) =>
      client.query('create table kept as select 1 as one'),
    );
    const busy = withConnection(instance.url(), {}, (client) => client.query('select pg_sleep(60)')).catch(
      (error) => error,
    );
    await until(
      async () =>
        (
          await withConnection(instance.url(), {}, (client) =>
            client.query(
              "select 1 from pg_stat_activity where query like '%pg_sleep(60)' and pid <> pg_backend_pid()",
            ),
          )
        ).rowCount === 1,
    );
    process.kill(instance.pid!, 'SIGKILL');
    await until(async () => !(await instance.isRunning()));
    await instance.start();
    expect(await busy).toBeInstanceOf(Error);
    await withConnection(instance.url(), {}, async (client) => {
      expect((await client.query('select one from kept')).rowCount).toBe(1);
    });
  });

  test('takes over the server of a process that was killed', async () => {
    server = await startTestPostgres({ major });
    await server.instance.stop();
    const script = `
      const { PostgresInstance, installationFor } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
      const instance = PostgresInstance.at({ installation: await installationFor(${major}), dataDirectory: ${JSON.stringify(server.instance.dataDirectory)} });
      await instance.start();
      console.log('started', instance.pid);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(parent.stdout!, 'data');
    const pid = Number(/started (\d+)/.exec(String(line))![1]);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const adopted = PostgresInstance.at(options());
    await adopted.start();
    expect(adopted.pid).toBe(pid);
    expect(await answer(adopted)).toBe(42);
    await adopted.stop();
    expect(await adopted.isRunning()).toBe(false);
  });

  test('a stale pid file whose number a foreign process has now: that process is left alone, the server starts', async () => {
    server = await startTestPostgres({ major });
    const { instance } = server;
    const { dataDirectory } = instance;
    process.kill(instance.pid!, 'SIGKILL');
    await until(async () => !(await instance.isRunning()));
    const account = await serverAccount();
    const foreign: ChildProcess = spawn('sleep', ['600'], {
      ...spawnAs(account),
      stdio: 'ignore',
      cwd: dataDirectory,
    });
    try {
      await once(foreign, 'spawn');
      const path = join(dataDirectory, 'postmaster.pid');
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.replace(/^\d+/, String(foreign.pid)));
      expect(await instance.isRunning()).toBe(false);
      await instance.stop('immediate');
      expect(isAlive(foreign.pid!)).toBe(true);
      await instance.start();
      expect(instance.pid).not.toBe(foreign.pid);
      expect(await answer(instance)).toBe(42);
      await instance.destroy();
      expect(isAlive(foreign.pid!)).toBe(true);
      expect(foreign.exitCode).toBeNull();
    } finally {
      foreign.kill('SIGKILL');
    }
  });

  test('a server of another data directory is not taken for ours', async () => {
    server = await startTestPostgres({ major });
    const other = await startTestPostgres({ major });
    try {
      await server.instance.stop();
      await writeFile(
        join(server.instance.dataDirectory, 'postmaster.pid'),
        await readFile(join(other.instance.dataDirectory, 'postmaster.pid')),
      );
      expect(await server.instance.isRunning()).toBe(false);
      await server.instance.stop('immediate');
      expect(await other.instance.isRunning()).toBe(true);
      expect(await isPostmasterOf(other.instance.pid!, server.instance.dataDirectory)).toBe(false);
      await server.instance.start();
      expect(await answer(other.instance)).toBe(42);
      expect(await answer(server.instance)).toBe(42);
    } finally {
      await other.stop();
    }
  });

  test('a bad setting fails at once with the end of the log', async () => {
    server = await startTestPostgres({ major });
    await server.instance.stop();
    const bad = PostgresInstance.at({ ...options(), settings: { work_mem: 'plenty' } });
    await expect(bad.start()).rejects.toMatchObject({
      code: 'POSTGRES_START_FAILED',
      message: expect.stringMatching(/exit status 1[\s\S]*work_mem/),
    });
    expect(await readPidFile(server.instance.dataDirectory)).toBeUndefined();
  });

  test('a port that was asked for and is taken is an error; a remembered one is exchanged', async () => {
    server = await startTestPostgres({ major });
    const { port } = server.instance;
    await server.instance.stop();
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
    try {
      await expect(PostgresInstance.at({ ...options(), port }).start()).rejects.toMatchObject({
        code: 'PORT_IN_USE',
      });
      await server.instance.start();
      expect(server.instance.port).not.toBe(port);
      expect(await answer(server.instance)).toBe(42);
    } finally {
      squatter.close();
    }
  });
});

test('many servers started at once get ports of their own', async () => {
  const servers = await Promise.all(Array.from({ length: 4 }, () => startTestPostgres()));
  try {
    expect(new Set(servers.map(({ instance }) => instance.port)).size).toBe(servers.length);
    for (const { instance } of servers) expect(await answer(instance)).toBe(42);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
});

test('a path too long for a socket: a short folder serves, and goes with the server', async () => {
  const installation = await installationFor(18);
  const dataDirectory = join(root, 'd'.repeat(60), 'e'.repeat(60), 'data');
  const instance = await PostgresInstance.init({ installation, dataDirectory, auth: 'trust' });
  await instance.start();
  const { socketDirectory, port } = instance;
  expect(socketDirectory).toMatch(/^\/tmp\/otto-[0-9a-f]{12}$/);
  expect((await stat(socketDirectory)).mode & 0o777).toBe(0o700);
  await withConnection(
    `postgresql://postgres@${encodeURIComponent(socketDirectory)}:${port}/postgres`,
    {},
    (client) => client.query('select 1'),
  );
  await instance.destroy();
  expect(await exists(socketDirectory)).toBe(false);
});

test('an aborted start leaves no server', async () => {
  const server = await startTestPostgres();
  try {
    await server.instance.stop();
    const controller = new AbortController();
    const starting = server.instance.start(controller.signal);
    controller.abort();
    await expect(starting).rejects.toThrow();
    expect(await server.instance.isRunning()).toBe(false);
  } finally {
    await server.stop();
  }
});

test('destroy deletes only data directories', async () => {
  const installation = await installationFor(18);
  const folder = join(root, 'documents');
  await mkdir(folder);
  await writeFile(join(folder, 'thesis.txt'), 'years of work');
  await symlink(folder, join(root, 'link'));
  for (const dataDirectory of [folder, join(root, 'link')]) {
    await expect(PostgresInstance.at({ installation, dataDirectory }).destroy()).rejects.toMatchObject({
      code: 'NOT_A_DATA_DIRECTORY',
    });
  }
  expect(await readdir(folder)).toEqual(['thesis.txt']);
});
