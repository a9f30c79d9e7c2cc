import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseInput } from '../../base/index.js';
import { testFolder } from '../../postgres/testing/index.js';
import { testContext } from '../testing/index.js';
import { runProgram } from './run-program.js';

let root: string;
beforeAll(async () => {
  root = await testFolder();
});
afterAll(() => rm(root, { recursive: true, force: true }));

const run = (config: Record<string, unknown>, given: Parameters<typeof testContext>[0] = {}) =>
  runProgram.run(
    parseInput(runProgram.type.config, config, 'config'),
    testContext({ root, allowCommand: true, ...given }),
  );

describe('COMMAND', () => {
  it('is off unless the worker allows it', async () => {
    for (const allowCommand of [undefined, false, []]) {
      await expect(run({ argv: ['true'] }, { allowCommand })).rejects.toMatchObject({
        code: 'COMMAND_NOT_ALLOWED',
      });
    }
  });

  it('runs only programs of the list, by the name they were allowed under', async () => {
    const allowCommand = ['echo'];
    expect(await run({ argv: ['echo', 'hi'] }, { allowCommand })).toMatchObject({
      exit_code: 0,
      stdout: 'hi\n',
    });
    for (const program of ['true', '/tmp/echo', './echo']) {
      await expect(run({ argv: [program] }, { allowCommand })).rejects.toMatchObject({
        code: 'COMMAND_NOT_ALLOWED',
      });
    }
  });

  it('uses no shell, its own folder, and nothing of the environment of the worker', async () => {
    process.env.OTTO_SECRET_OF_TEST = 'hunter2';
    try {
      const { stdout } = await run({ argv: ['echo', '$(whoami); `id` > /tmp/x'] });
      expect(stdout).toBe('$(whoami); `id` > /tmp/x\n');
      expect((await run({ argv: ['pwd'] })).stdout.startsWith(root)).toBe(true);
      const { stdout: environment } = await run({ argv: ['env'], env: { MINE: '1' } });
      expect(environment).toContain('MINE=1');
      expect(environment).not.toContain('hunter2');
    } finally {
      delete process.env.OTTO_SECRET_OF_TEST;
    }
  });

  it('keeps the last of what is said', async () => {
    const ended = await run({
      argv: [process.execPath, '-e', 'process.stdout.write("x".repeat(1e6) + "the end")'],
    });
    expect(ended.stdout.length).toBe(65_536);
    expect(ended.stdout.endsWith('the end')).toBe(true);
    expect(ended.truncated).toBe(true);
  });

  it('fails on a status that is not accepted, with what was said', async () => {
    const script = 'console.error("no such thing"); process.exit(3)';
    const failing = run({ argv: [process.execPath, '-e', script] });
    await expect(failing).rejects.toMatchObject({ code: 'PROGRAM_FAILED' });
    await expect(failing).rejects.toThrow(/status 3: no such thing/);
    expect(await run({ argv: [process.execPath, '-e', script], accept_exit_codes: [0, 3] })).toMatchObject({
      exit_code: 3,
    });
    await expect(run({ argv: ['/no/such/program'] })).rejects.toMatchObject({ code: 'PROGRAM_NOT_STARTED' });
  });

  it('ends the whole group of processes when it is cancelled or takes too long', async () => {
    const script = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
      process.stdout.write(child.pid + '\\n');
      setInterval(() => {}, 1000);`;
    const argv = [process.execPath, '-e', script];
    const stop = new AbortController();
    const cancelled = run({ argv }, { signal: stop.signal });
    // Started, so that there is a group to end.
    setImmediate(() => stop.abort(new Error('cancelled')));
    await expect(cancelled).rejects.toThrow('cancelled');
    await expect(run({ argv, timeout: '300ms' })).rejects.toMatchObject({ code: 'TIMED_OUT' });
    const left = await run({ argv: ['ps', '-eo', 'args'] });
    expect(
      left.stdout.split('\n').filter((line) => line.includes('setInterval') && !line.includes('ps -eo')),
    ).toEqual([]);
  });
});
