import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testFolder } from '../postgres/testing/index.js';
import { loadCommands } from './loading.js';
import { testContext } from './testing/index.js';

let root: string;
beforeAll(async () => {
  root = await testFolder();
});
afterAll(() => rm(root, { recursive: true, force: true }));

let number = 0;
async function moduleOf(source: string): Promise<string> {
  number += 1;
  const path = join(root, `plugin-${number}.mjs`);
  await writeFile(path, source);
  return path;
}

const hello = (name: string, more = '') => `
  export const commands = ({ z, defineCommandType }) => [{
    type: defineCommandType({
      type: '${name}', summary: 'Says hello.', place: 'exploratory',
      config: z.strictObject({ who: z.string() }), output: z.object({ said: z.string() }),
      defaultTimeoutMs: 1000, onWorkerLost: 'retry', ${more}
    }),
    run: async ({ who }) => ({ said: 'hello ' + who }),
  }];`;

it('command types come from modules that need no packages of their own', async () => {
  const [command] = await loadCommands([await moduleOf(hello('SAY_HELLO'))]);
  expect(command?.type.type).toBe('SAY_HELLO');
  expect(command?.type.config.safeParse({ whom: 1 }).success).toBe(false);
  expect(await command?.run({ who: 'you' }, testContext())).toEqual({ said: 'hello you' });
});

it('a module that brings data collectors only gives none', async () => {
  expect(await loadCommands([await moduleOf('export const collectors = [];')])).toEqual([]);
});

it.each([
  ['cannot be imported', 'export const x = ;', /cannot be loaded/],
  ['exports something else', 'export const commands = 5;', /neither an array nor a function/],
  ['has a function that fails', 'export const commands = () => { throw new Error("no way") };', /no way/],
  ['lacks a part', 'export const commands = [{ type: { type: "A" } }];', /no `run`/],
  ['has a bad name', hello('say hello'), /SCREAMING_SNAKE_CASE/],
  ['takes a built-in name', hello('COMMAND'), /COMMAND is taken/],
  ['has no place at a worker', hello('A', "place: 'control',"), /must have place/],
  ['does not say what to do when a worker is lost', hello('A', "onWorkerLost: 'shrug',"), /onWorkerLost/],
])('a module that %s is refused by name', async (_how, source, finding) => {
  const path = await moduleOf(source);
  const loading = loadCommands([path]);
  await expect(loading).rejects.toMatchObject({ code: 'BAD_PLUGIN', where: path });
  await expect(loading).rejects.toThrow(finding);
});

it('two modules cannot bring the same type, and a missing one is named', async () => {
  const modules = [await moduleOf(hello('TWICE')), await moduleOf(hello('TWICE'))];
  await expect(loadCommands(modules)).rejects.toThrow(/TWICE is taken/);
  await expect(loadCommands(['./no-such-file.mjs'])).rejects.toThrow(/no-such-file/);
  await expect(loadCommands(['no-such-package-of-ours'])).rejects.toThrow(/no-such-package-of-ours/);
});
