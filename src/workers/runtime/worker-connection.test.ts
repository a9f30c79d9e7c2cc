import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type GatewayScript, startTestWorker, TestGateway, testCommand } from '../testing/index.js';
import { disposals, held, setUp } from '../testing/suite.js';

const attemptFiles = async (root: string) =>
  (await readdir(join(root, 'attempts'))).filter((name) => name.endsWith('.json'));

describe('a lost connection', () => {
  it('aborts nothing: the same lease goes on with what runs', async () => {
    const command = held();
    const { gateway } = await setUp([command.command]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
    await gateway.until(() => command.started === 1);
    // kill -9 of the control plane, and back on the same port.
    await gateway.kill();
    await gateway.listen();
    const { hello } = await gateway.attached(2);
    expect(hello).toMatchObject({ leaseEpoch: 1n, attemptIds: ['run_1/a/1'] });
    expect(command.signals[0]?.aborted).toBe(false);
    command.release({ done: true });
    expect(await gateway.report('run_1/a/1')).toMatchObject({ state: 'SUCCEEDED', output: { done: true } });
    expect(command.started).toBe(1);
    expect(gateway.openConnections).toBe(1);
  });

  it('keeps what happened meanwhile: the report, the log, and calls under way', async () => {
    const said: number[] = [];
    const finish = new AbortController();
    const command = testCommand('WRITES', async (_config, context) => {
      while (!finish.signal.aborted) {
        said.push(performance.now());
        context.log('info', String(said.at(-1)));
        await delay(20);
      }
      await context.journal.intend(
        [
          {
            server: 'primary',
            setting: 'x',
            before: { autoConf: null, value: '1', source: 'default' },
            ours: '2',
          },
        ],
        'test',
      );
      return {};
    });
    const { gateway } = await setUp([command]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'WRITES' });
    await gateway.until(() => gateway.count('log') > 0);
    await gateway.kill();
    const from = performance.now();
    await expect.poll(() => said.filter((at) => at > from).length).toBeGreaterThan(10);
    const to = performance.now();
    finish.abort();
    await gateway.listen();
    expect(await gateway.report('run_1/a/1')).toMatchObject({ state: 'SUCCEEDED' });
    expect(gateway.records).toMatchObject([
      { action: 'intend_changes', attemptId: 'run_1/a/1', leaseEpoch: 1n },
    ]);
    const heard = gateway.received.flatMap((message) =>
      message.case === 'log' ? [Number(message.value.message)] : [],
    );
    expect(heard.filter((at) => at > from && at < to).length).toBeGreaterThan(3);
    expect(heard).toEqual([...new Set(heard)].sort((a, b) => a - b));
  });

  it('is noticed when heartbeats get no answer', async () => {
    let renews = true;
    const { gateway } = await setUp([], { renews: () => renews, heartbeatMs: 30 });
    await gateway.attached();
    renews = false;
    await gateway.attached(2);
    expect(gateway.attachment.hello.leaseEpoch).toBe(1n);
  });

  it('ends a worker with nothing in hand after the orphan time', async () => {
    const { gateway, worker } = await setUp([], {}, { orphanTimeoutMs: 300 });
    await gateway.attached();
    await gateway.kill();
    expect(await worker.ended).toEqual({ reason: 'no control plane was reached for 0.3 s' });
  });
});

describe('the lease', () => {
  it('when it runs out, ends what runs; the outcome is reported under the next', async () => {
    const command = held();
    const { gateway } = await setUp([command.command], { leaseMs: 400, heartbeatMs: 100 });
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
    await gateway.until(() => command.started === 1);
    await gateway.kill();
    await expect.poll(() => command.signals[0]?.aborted, { timeout: 5000 }).toBe(true);
    expect(command.signals[0]?.reason).toMatchObject({ code: 'LEASE_LOST' });
    gateway.epoch = 2n;
    await gateway.listen();
    const report = await gateway.report('run_1/a/1');
    expect(report).toMatchObject({
      state: 'FAILED',
      leaseEpoch: 2n,
      error: { code: 'LEASE_LOST', transient: true },
    });
  });

  it('is kept by heartbeats', async () => {
    const command = held();
    const { gateway } = await setUp([command.command], { leaseMs: 1000, heartbeatMs: 200 });
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
    await gateway.until(() => gateway.count('heartbeat') > 7);
    expect(command.signals[0]?.aborted).toBe(false);
    expect(gateway.attachments).toHaveLength(1);
  });

  it('is lost at once when the control plane says so', async () => {
    const command = held();
    const { gateway } = await setUp([command.command]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
    await gateway.until(() => command.started === 1);
    const error = { code: 'LEASE_LOST', message: 'given to another', transient: true };
    gateway.attachment.send({ case: 'refused', value: { errorJson: JSON.stringify(error) } });
    await gateway.attached(2);
    expect(command.signals[0]?.aborted).toBe(true);
  });
});

describe('a refused worker', () => {
  it.each([
    ['a wrong token', { token: 'another' }, 'TOKEN_REFUSED'],
    [
      'another protocol',
      { welcome: () => ({ code: 'PROTOCOL_MISMATCH', message: 'too old' }) },
      'PROTOCOL_MISMATCH',
    ],
  ])('ends with the reason: %s', async (_name, script: GatewayScript, code) => {
    const { worker } = await setUp([], script);
    await expect(worker.ended).rejects.toMatchObject({ code });
  });

  it('ends what runs first', async () => {
    const command = held();
    const { gateway, worker } = await setUp([command.command]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
    await gateway.until(() => command.started === 1);
    gateway.script = { token: 'revoked' };
    gateway.cut();
    await expect(worker.ended).rejects.toMatchObject({ code: 'TOKEN_REFUSED' });
    expect(command.signals[0]?.aborted).toBe(true);
  });

  it('tries again where the refusal will pass', async () => {
    let tries = 0;
    const { gateway } = await setUp([], {
      welcome: () => {
        tries += 1;
        return tries < 3 ? { code: 'STARTING', message: 'not yet', transient: true } : { leaseMs: 5000 };
      },
    });
    await gateway.attached();
    expect(tries).toBe(3);
  });

  it('does not send its token in the clear to another host', async () => {
    const gateway = await TestGateway.start();
    disposals.push(() => gateway.kill());
    const start = startTestWorker(gateway, [], { controlUrl: 'http://control.example:7000' });
    await expect(start).rejects.toMatchObject({ code: 'INSECURE_CONTROL_URL' });
  });
});

describe('what the control plane drops', () => {
  it('is cancelled, and nothing is reported', async () => {
    const command = held();
    const { gateway, worker } = await setUp([command.command]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
    await gateway.until(() => command.started === 1);
    gateway.script = { welcome: (hello) => ({ leaseEpoch: 2n, dropAttemptIds: hello.attemptIds }) };
    gateway.epoch = 2n;
    gateway.cut();
    await gateway.attached(2);
    await expect.poll(() => command.signals[0]?.aborted).toBe(true);
    gateway.assign({ attemptId: 'run_1/b/1', type: 'HELD' });
    await gateway.until(() => command.started === 2);
    expect(gateway.reports('run_1/a/1')).toEqual([]);
    expect(await attemptFiles(worker.root)).toHaveLength(1);
  });
});
