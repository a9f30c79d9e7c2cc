import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/postgres/index.js';
import { startTestPostgres, type TestPostgres, testFolder } from '../../src/postgres/testing/index.js';
import { endOf, type Run, submit } from './support/api.js';
import { type Otto, runOtto, startOtto } from './support/otto.js';

const greeting = `export function commands({ z, OttoError, defineCommandType }) {
  const type = defineCommandType({
    type: 'GREET',
    summary: 'Greets.',
    place: 'exploratory',
    config: z.strictObject({ whom: z.string() }),
    output: z.object({ greeting: z.string() }),
    defaultTimeoutMs: 10_000,
    onWorkerLost: 'retry',
  });
  return [{
    type,
    async run({ whom }, context) {
      if (whom === 'nobody') throw new OttoError('NOBODY', 'there is nobody to greet');
      context.log('info', 'greeting ' + whom);
      return { greeting: 'Hello, ' + whom };
    },
  }];
}
`;

let folder: string;
let postgres: TestPostgres;
let otto: Otto;
let modules: string[];

beforeAll(async () => {
  folder = await testFolder();
  const collector = join(folder, 'lock-waits.mjs');
  const command = join(folder, 'greet.mjs');
  const documentation = await readFile(new URL('../../docs/collectors.md', import.meta.url), 'utf8');
  const example = /```js\n([\s\S]+?)```/.exec(documentation)?.[1];
  if (!example) throw new Error('docs/collectors.md shows no example');
  await Promise.all([writeFile(collector, example), writeFile(command, greeting)]);
  modules = ['--plugin', collector, '--plugin', command];
  [postgres, otto] = await Promise.all([
    startTestPostgres(),
    startOtto(join(folder, 'data'), [...modules, '--allow-command', 'echo']),
  ]);
  await otto.json(['db', 'add', 'shop'], { env: { OTTO_URL: postgres.url } });
});

afterAll(async () => {
  await otto?.stop();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});

const worker = {
  command_type: 'LAUNCH_EXPLORATORY_WORKER',
  command_name: 'worker',
  parent_command_names: [],
};
const primary = { command_type: 'LAUNCH_PRIMARY_WORKER', command_name: 'primary', parent_command_names: [] };
const program = (name: string, argv: string[]) => ({
  command_type: 'COMMAND',
  command_name: name,
  parent_command_names: ['worker'],
  config: { argv },
});

describe('a module of one’s own', () => {
  it('brings a command type and a data collector, known to validation and carried out by workers', async () => {
    // A real wait for the collector to find.
    const [holder, waiter] = await Promise.all([connect(postgres.url), connect(postgres.url)]);
    await holder.query('create table seat (id int)');
    await holder.query('begin; lock table seat');
    const waiting = waiter.query('select count(*) from seat');
    try {
      const document = [
        worker,
        primary,
        {
          command_type: 'GREET',
          command_name: 'greet',
          parent_command_names: ['worker'],
          config: { whom: 'Ada' },
        },
        {
          command_type: 'COLLECT_DATA_FROM_EXPLORATORY',
          command_name: 'locks',
          parent_command_names: ['primary'],
          config: { target: 'primary', data_collector_type: 'LOCK_WAITS', data_collector_config: {} },
        },
      ];
      const file = join(folder, 'own.json');
      await writeFile(file, JSON.stringify(document));
      const [without, withThem] = await Promise.all([
        runOtto(['dag', 'validate', file]),
        runOtto(['dag', 'validate', file, ...modules]),
      ]);
      expect(without).toMatchObject({
        exitCode: 2,
        stdout: expect.stringMatching(/no command type "GREET"/),
      });
      expect(withThem).toMatchObject({ exitCode: 0 });

      const run = await endOf(otto, await submit(otto, document, 'shop'));
      expect(run.state).toBe('SUCCEEDED');
      expect(output(run, 'greet')).toEqual({ greeting: 'Hello, Ada' });
      const artifact = run.commands.find(({ name }) => name === 'locks')!.artifacts[0]!;
      const collected = await otto.cli(['artifact', 'download', artifact.id, '--out', '-']);
      expect(JSON.parse(collected.stdout)).toMatchObject({
        waits: [{ pid: expect.any(Number), blockedBy: [expect.any(Number)] }],
      });
    } finally {
      await holder.query('rollback');
      await waiting;
      await Promise.all([holder.end(), waiter.end()]);
    }
  });

  it('fails with its own error, and one that cannot be loaded stops the start', async () => {
    const greet = {
      command_type: 'GREET',
      command_name: 'greet',
      parent_command_names: ['worker'],
      config: { whom: 'nobody' },
    };
    const run = await endOf(otto, await submit(otto, [worker, greet]));
    expect(run.state).toBe('FAILED');
    expect(run.commands.find(({ name }) => name === 'greet')?.error).toMatchObject({ code: 'NOBODY' });
    const broken = await runOtto([
      'up',
      '--data',
      join(folder, 'broken'),
      '--port',
      '0',
      '--plugin',
      './nowhere.mjs',
      '--json',
    ]);
    expect(broken.exitCode).toBe(2);
    expect(JSON.parse(broken.stdout)).toMatchObject({
      error: { where: './nowhere.mjs', message: expect.stringMatching(/nowhere\.mjs/) },
    });
  });
});

describe('COMMAND', () => {
  it('runs what was allowed, and nothing else', async () => {
    const run = await endOf(otto, await submit(otto, [worker, program('said', ['echo', 'Hello'])]));
    expect(run.state).toBe('SUCCEEDED');
    expect(output(run, 'said')).toMatchObject({ exit_code: 0, stdout: 'Hello\n' });
    const refused = await endOf(otto, await submit(otto, [worker, program('listed', ['/bin/ls', '/'])]));
    expect(refused.state).toBe('FAILED');
    expect(refused.commands.find(({ name }) => name === 'listed')?.error).toMatchObject({
      code: 'COMMAND_NOT_ALLOWED',
      hint: 'Allowed here: echo.',
    });
  });

  it('is off unless it was allowed', async () => {
    const plain = await startOtto(join(folder, 'plain'));
    try {
      const run = await endOf(plain, await submit(plain, [worker, program('said', ['echo', 'Hello'])]));
      expect(run.state).toBe('FAILED');
      expect(run.commands.find(({ name }) => name === 'said')?.error).toMatchObject({
        code: 'COMMAND_NOT_ALLOWED',
        hint: expect.stringMatching(/--allow-command/),
      });
    } finally {
      await plain.stop();
    }
  });
});

function output(run: Run, command: string): unknown {
  return run.commands.find(({ name }) => name === command)?.output;
}
