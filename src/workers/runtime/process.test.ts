import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, expect, it } from 'vitest';
import { testFolder } from '../../postgres/testing/index.js';
import { type GatewayScript, TestGateway } from '../testing/index.js';

const script = fileURLToPath(new URL('../testing/worker-child.ts', import.meta.url));
const disposals: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const dispose of disposals.splice(0).reverse()) await dispose();
});

async function setUp(script: GatewayScript = {}) {
  const gateway = await TestGateway.start(script);
  disposals.push(() => gateway.kill());
  const root = await testFolder();
  disposals.push(() => rm(root, { recursive: true, force: true }));
  return { gateway, root };
}

function startChild(gateway: TestGateway, root: string) {
  const child = execa(process.execPath, ['--import', 'tsx', script], {
    env: { OTTO_TEST_WORKER: JSON.stringify({ controlUrl: gateway.url, root }) },
    reject: false,
  });
  disposals.push(async () => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await child;
  });
  const ended = async () => JSON.parse((await child).stdout) as { reason?: string; error?: { code: string } };
  return { child, pid: child.pid!, ended };
}

/** TCP sockets of a process: how many listen, and the remote ports of the others. */
async function tcpSockets(pid: number): Promise<{ listening: number; remotePorts: number[] }> {
  const inodes = new Set<string>();
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  const sockets = { listening: 0, remotePorts: [] as number[] };
  for (const table of ['tcp', 'tcp6']) {
    const lines = (await readFile(`/proc/${pid}/net/${table}`, 'utf8')).trim().split('\n').slice(1);
    for (const fields of lines.map((line) => line.trim().split(/\s+/))) {
      if (!inodes.has(fields[9]!)) continue;
      if (fields[3] === '0A') sockets.listening += 1;
      else sockets.remotePorts.push(Number.parseInt(fields[2]!.split(':')[1]!, 16));
    }
  }
  return sockets;
}

it('has one outgoing connection for everything and listens on nothing', async () => {
  const { gateway, root } = await setUp();
  const { pid } = startChild(gateway, root);
  await gateway.attached();
  gateway.assign({ attemptId: 'run_1/a/1', type: 'BUSY' });
  await gateway.until(() => gateway.count('log') > 0);
  expect(gateway.artifacts.size).toBe(3);
  expect(gateway.records).toHaveLength(3);
  expect(await tcpSockets(pid)).toEqual({ listening: 0, remotePorts: [gateway.port] });
  expect(gateway.connections).toBe(1);
});

it('SIGTERM drains, a second one stops; both in order', async () => {
  const { gateway, root } = await setUp();
  const { child, ended } = startChild(gateway, root);
  await gateway.attached();
  gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
  await gateway.until(() => gateway.count('accepted') === 1);
  child.kill('SIGTERM');
  // Draining: what comes now is refused, what runs goes on.
  let number = 0;
  await gateway.until(() => {
    number += 1;
    gateway.assign({ attemptId: `run_1/b/${number}`, type: 'HELD' });
    return gateway.received.some(
      (message) => message.case === 'report' && message.value.errorJson.includes('WORKER_DRAINING'),
    );
  });
  expect(gateway.reports('run_1/a/1')).toEqual([]);
  child.kill('SIGTERM');
  expect(await gateway.report('run_1/a/1')).toMatchObject({ error: { code: 'WORKER_STOPPED' } });
  expect(await ended()).toEqual({ reason: 'it was told to stop' });
  expect(gateway.count('goodbye')).toBe(1);
});

it('killed and started again on its root: the lock is taken over, what ran is reported', async () => {
  const { gateway, root } = await setUp();
  const first = startChild(gateway, root);
  const { hello } = await gateway.attached();
  gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
  await gateway.until(() => gateway.count('accepted') === 1);

  const rival = startChild(gateway, root);
  expect((await rival.ended()).error?.code).toBe('ROOT_LOCKED');

  first.child.kill('SIGKILL');
  await first.child;
  gateway.epoch = 2n;
  startChild(gateway, root);
  const again = (await gateway.attached(2)).hello;
  expect(again).toMatchObject({ workerId: hello.workerId, leaseEpoch: 0n, attemptIds: ['run_1/a/1'] });
  expect(await gateway.report('run_1/a/1')).toMatchObject({
    state: 'FAILED',
    leaseEpoch: 2n,
    error: { code: 'WORKER_RESTARTED', transient: true },
  });
  await expect.poll(() => readdir(join(root, 'attempts'))).toEqual([]);
});

it('frozen for longer than its lease: has no further effects when it wakes', async () => {
  const { gateway, root } = await setUp({ leaseMs: 600, heartbeatMs: 150 });
  const { child } = startChild(gateway, root);
  await gateway.attached();
  gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
  await gateway.until(() => gateway.count('accepted') === 1);
  child.kill('SIGSTOP');
  const frozen = performance.now();
  await gateway.until(() => performance.now() - frozen > 900);
  // Its lease was given to another meanwhile.
  gateway.epoch = 2n;
  child.kill('SIGCONT');
  const { hello } = await gateway.attached(2);
  expect(hello).toMatchObject({ leaseEpoch: 1n, attemptIds: ['run_1/a/1'] });
  expect(await gateway.report('run_1/a/1')).toMatchObject({ state: 'FAILED', error: { code: 'LEASE_LOST' } });
});
