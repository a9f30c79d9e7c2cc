import { spawnSync } from 'node:child_process';
import { chmod, copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withConnection } from '../../src/postgres/index.js';
import { startTestPostgres, type TestPostgres, testFolder } from '../../src/postgres/testing/index.js';
import { endOf, submit, workersOf } from './support/api.js';
import { type Otto, ottoProgram, startOtto, waitFor } from './support/otto.js';
import { type SshServer, startSshServer } from './support/ssh-server.js';

const hasSsh = spawnSync('ssh', ['-V']).status === 0;
if (!hasSsh)
  process.stdout.write('SSH workers are not tested: the OpenSSH client (ssh) is not installed here\n');

let folder: string;
let postgres: TestPostgres;
let otto: Otto;
let server: SshServer;
let ottoPath: string;

describe.skipIf(!hasSsh)('a worker over SSH', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    folder = await testFolder();
    ottoPath = join(folder, 'otto');
    await writeFile(ottoPath, `#!/bin/sh\nexec ${ottoProgram.map((word) => `'${word}'`).join(' ')} "$@"\n`, {
      mode: 0o755,
    });
    [postgres, otto, server] = await Promise.all([
      startTestPostgres({ settings: { logging_collector: 'on' } }),
      startOtto(join(folder, 'data')),
      startSshServer(join(folder, 'elsewhere')).then(async (started) => {
        await chmod(join(folder, 'elsewhere'), 0o755);
        return started;
      }),
    ]);
    await otto.json(['db', 'add', 'shop'], { env: { OTTO_URL: postgres.url } });
  });

  afterAll(async () => {
    await otto?.stop();
    await server?.stop();
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('is refused with finding and remedy when host, key or program are not as they should be', async () => {
    const nothing = join(folder, 'known nothing');
    await writeFile(nothing, '');
    const wrong = join(folder, 'known_wrong');
    const other = await startSshServer(join(folder, 'other'));
    await other.stop();
    const key = (await readFile(other.knownHostsFile, 'utf8')).split(' ').slice(1).join(' ');
    await writeFile(wrong, `[127.0.0.1]:${server.port} ${key}`);
    const open = join(folder, 'id_open');
    await copyFile(server.identityFile, open);
    await chmod(open, 0o644);
    const cases: [config: Record<string, unknown>, code: string, finding: RegExp, hint: RegExp][] = [
      [
        { known_hosts_file: nothing },
        'SSH_HOST_KEY_UNKNOWN',
        /its host key is not in .*known nothing/,
        /ssh-keyscan -p \d+ 127\.0\.0\.1/,
      ],
      [{ known_hosts_file: wrong }, 'SSH_HOST_KEY_CHANGED', /not the one in .*known_wrong/, /ssh-keygen -R/],
      [{ identity_file: open }, 'SSH_IDENTITY_FILE', /others can read it \(mode 0644\)/, /chmod 600/],
      [
        { identity_file: join(folder, 'none') },
        'SSH_IDENTITY_FILE',
        /cannot be read: No such file/,
        /identity_file/,
      ],
      [{ identity_file: other.identityFile }, 'SSH_AUTHENTICATION', /refuses "somebody"/, /authorized_keys/],
      [{ port: other.port }, 'SSH_UNREACHABLE', /cannot be reached .*refused/, /SSH server up/],
      [{ otto_path: '/nowhere/otto' }, 'OTTO_NOT_FOUND', /\/nowhere\/otto cannot be run there/, /otto_path/],
    ];
    const runs = await Promise.all(
      cases.map(async ([config]) => await endOf(otto, await submit(otto, [launch('EXPLORATORY', config)]))),
    );
    for (const [index, [, code, finding, hint]] of cases.entries()) {
      const run = runs[index]!;
      expect(run.state).toBe('FAILED');
      const error = run.commands[0]!.error!;
      expect({ code: error.code, message: error.message, hint: error.hint }).toEqual({
        code,
        message: expect.stringMatching(finding),
        hint: expect.stringMatching(hint),
      });
    }
    // Nobody was let in but for the program that is not there.
    expect(server.sessions.filter(({ command }) => !command.includes('/nowhere/otto'))).toEqual([]);
  });

  it('goes on after its connection broke; its token is in no argument and no environment', async () => {
    const before = await autoConf();
    const sessionsBefore = server.sessions.length;
    const run = await submit(
      otto,
      [
        launch('PRIMARY', {}),
        {
          command_type: 'CAPTURE_PRIMARY_WORKLOAD',
          command_name: 'capture',
          parent_command_names: ['launch'],
          config: { time_period: 6 },
        },
      ],
      'shop',
    );
    await waitFor('settings are changed', async () => (await autoConf()) !== before);
    const worker = (await workersOf(otto)).find(({ how, state }) => how === 'ssh' && state === 'READY')!;
    expect(worker.info.pid).toBeDefined();
    await expectNowhere(tokensGiven());
    expect(await readdir(join(server.home, '.ottopilot', worker.id))).toContain('worker.json');

    server.cut();
    const ended = await endOf(otto, run);
    expect(ended.error).toBeUndefined();
    expect(ended.state).toBe('SUCCEEDED');
    const capture = ended.commands.find(({ name }) => name === 'capture')!;
    expect(capture.attempts.map(({ state }) => state)).toEqual(['LOST', 'SUCCEEDED']);
    expect(server.sessions.length).toBe(sessionsBefore + 2);
    expect(new Set(tokensGiven()).size).toBe(tokensGiven().length);
    expect(await autoConf()).toBe(before);
    await waitFor('no process of the worker is left', async () => {
      const lines = await commandLines();
      return lines.every((line) => !line.includes(worker.id));
    });
    const after = (await workersOf(otto)).find(({ id }) => id === worker.id)!;
    expect(after.state).toBe('STOPPED');
  });

  it('two at one host keep out of each other’s way, and end with their control plane', async () => {
    const copy = (name: string, parent: string) => ({
      command_type: 'LAUNCH_EXPLORATORY_POSTGRES',
      command_name: name,
      parent_command_names: [parent],
      config: { snapshot: false },
    });
    const run = await submit(
      otto,
      [
        { ...launch('EXPLORATORY', { keep: true }), command_name: 'one' },
        { ...launch('EXPLORATORY', { keep: true }), command_name: 'two' },
        copy('first', 'one'),
        copy('second', 'two'),
      ],
      'shop',
    );
    const ended = await endOf(otto, run);
    expect(ended.state).toBe('SUCCEEDED');
    const ids = ended.commands.flatMap(({ output }) =>
      typeof output?.worker === 'string' ? [output.worker] : [],
    );
    expect(new Set(ids).size).toBe(2);
    const workers = (await workersOf(otto)).filter(({ id }) => ids.includes(id));
    expect(workers.map(({ state }) => state)).toEqual(['READY', 'READY']);
    await otto.stop();
    await waitFor('no process of the workers is left', async () => {
      const lines = await commandLines();
      return lines.every((line) => !ids.some((id) => line.includes(id)));
    });
  });
});

function launch(side: 'PRIMARY' | 'EXPLORATORY', config: Record<string, unknown>) {
  return {
    command_type: `LAUNCH_${side}_WORKER`,
    command_name: 'launch',
    parent_command_names: [],
    config: {
      how: 'ssh',
      host: '127.0.0.1',
      user: 'somebody',
      port: server.port,
      identity_file: server.identityFile,
      known_hosts_file: server.knownHostsFile,
      otto_path: ottoPath,
      ...config,
    },
  };
}

function tokensGiven(): string[] {
  return server.sessions.flatMap(({ stdin }) => {
    const line = stdin.split('\n')[0]!;
    return line === '' ? [] : [(JSON.parse(line) as { token: string }).token];
  });
}

/** No process of this machine has one of these texts in its arguments or its environment. */
async function expectNowhere(secrets: string[]): Promise<void> {
  expect(secrets.length).toBeGreaterThan(0);
  for (const file of ['cmdline', 'environ']) {
    for (const text of await ofProcesses(file))
      for (const secret of secrets) expect(text).not.toContain(secret);
  }
}

const commandLines = async (): Promise<string[]> => await ofProcesses('cmdline');

async function ofProcesses(file: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  expect(pids.length).toBeGreaterThan(1);
  // One that has ended meanwhile has nothing to read.
  return await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')));
}

async function autoConf(): Promise<string> {
  return await withConnection(postgres.url, {}, async (client) => {
    const { rows } = await client.query<{ text: string }>(
      "select pg_read_file('postgresql.auto.conf') as text",
    );
    return rows[0]!.text;
  });
}
