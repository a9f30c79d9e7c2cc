import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { testFolder } from '../../postgres/testing/index.js';
import { lockRoot } from './root-lock.js';

let root: string;
beforeEach(async () => {
  root = await testFolder();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const write = (holder: unknown) => writeFile(join(root, 'worker.lock'), JSON.stringify(holder));
/** No process has this number: it is above the largest that Linux gives. */
const deadPid = 2 ** 22 + 1;

it('is held once, and free again when released', async () => {
  const lock = await lockRoot(root);
  await expect(lockRoot(root)).rejects.toMatchObject({ code: 'ROOT_LOCKED' });
  await lock.release();
  await (await lockRoot(root)).release();
  expect(await readdir(root)).toEqual([]);
});

it('goes to exactly one of many that take over a stale one at once', async () => {
  await write({ pid: deadPid, host: hostname(), started: '1' });
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockRoot(root)));
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const lost of tries.filter((one) => one.status === 'rejected')) {
    expect(lost.reason).toMatchObject({ code: 'ROOT_LOCKED' });
  }
});

it('is taken over from a process whose number somebody else has by now', async () => {
  await write({ pid: process.pid, host: hostname(), started: '1' });
  await (await lockRoot(root)).release();
});

it('is taken over when it is damaged, not when it is of another host', async () => {
  await writeFile(join(root, 'worker.lock'), '{"pid"');
  await (await lockRoot(root)).release();
  await write({ pid: deadPid, host: 'another.example', started: '1' });
  await expect(lockRoot(root)).rejects.toMatchObject({ code: 'ROOT_LOCKED' });
});

it('is not released by one who no longer has it', async () => {
  const lock = await lockRoot(root);
  await write({ pid: 1, host: hostname(), started: null });
  await lock.release();
  expect(await readFile(join(root, 'worker.lock'), 'utf8')).toContain('"pid":1');
});
