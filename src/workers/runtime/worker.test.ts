import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exists, OttoError, readJson } from '../../base/index.js';
import type { CommandContext, WorkerCommand } from '../command.js';
import { aborted, testCommand } from '../testing/index.js';
import { held, setUp } from '../testing/suite.js';

const echo = testCommand('ECHO', async (config) => ({ said: config.say }));
const attemptFiles = async (root: string) =>
  (await readdir(join(root, 'attempts'))).filter((name) => name.endsWith('.json'));

describe('an attached worker', () => {
  it('says who it is, carries out an assignment, and forgets it once the report is stored', async () => {
    const { gateway, worker } = await setUp([echo]);
    const { hello } = await gateway.attached();
    expect(hello).toMatchObject({
      protocol: 1,
      workerId: 'wrk_test',
      kind: 'exploratory',
      leaseEpoch: 0n,
      attemptIds: [],
    });
    expect(JSON.parse(hello.infoJson)).toMatchObject({
      pid: process.pid,
      root: worker.root,
      allowCommand: false,
    });
    gateway.assign({ attemptId: 'run_1/a/1', type: 'ECHO', configJson: '{"say":"hi"}' });
    expect(await gateway.report('run_1/a/1')).toEqual({
      state: 'SUCCEEDED',
      output: { said: 'hi' },
      leaseEpoch: 1n,
    });
    expect(gateway.count('accepted')).toBe(1);
    await expect.poll(() => attemptFiles(worker.root)).toEqual([]);
  });

  it('writes the attempt to disk before it accepts it', async () => {
    const command = held();
    const { gateway, worker } = await setUp([command.command]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD', configJson: '{"password":"hunter2"}' });
    await gateway.until(() => gateway.count('accepted') === 1);
    const [file] = await attemptFiles(worker.root);
    const record = await readJson<Record<string, unknown>>(join(worker.root, 'attempts', file!));
    expect(record).toMatchObject({ attemptId: 'run_1/a/1', runId: 'run_1', command: 'a', number: 1 });
    expect(JSON.stringify(record)).not.toContain('hunter2');
  });

  it('reports again until the report is stored', async () => {
    let stores = false;
    const { gateway, worker } = await setUp([echo], { stores: () => stores });
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'ECHO' });
    await gateway.report('run_1/a/1');
    expect(await attemptFiles(worker.root)).toHaveLength(1);
    stores = true;
    gateway.cut();
    await gateway.attached(2);
    expect(gateway.attachment.hello.attemptIds).toEqual(['run_1/a/1']);
    await gateway.until(() => gateway.reports('run_1/a/1').length === 2);
    await expect.poll(() => attemptFiles(worker.root)).toEqual([]);
  });

  it('carries out an assignment that comes twice once', async () => {
    const command = held();
    const { gateway } = await setUp([command.command]);
    await gateway.attached();
    for (let i = 0; i < 3; i++) gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
    await gateway.until(() => gateway.count('accepted') === 3);
    command.release({ n: 1 });
    await gateway.report('run_1/a/1');
    // Also one that was still under way when the report was stored.
    gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
    gateway.assign({ attemptId: 'run_1/b/1', type: 'HELD' });
    await gateway.until(() => command.started === 2);
    expect(gateway.reports('run_1/a/1')).toHaveLength(1);
  });

  it('fails what it cannot do with the reason', async () => {
    const boom = testCommand('BOOM', async () => {
      throw new OttoError('BROKEN', 'the disk is on fire', { hint: 'Buy another.' });
    });
    const other: WorkerCommand = { ...echo, type: { ...echo.type, type: 'OTHER_SIDE', place: 'primary' } };
    const { gateway } = await setUp([boom, other]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'BOOM' });
    gateway.assign({ attemptId: 'run_1/b/1', type: 'NOBODY_KNOWS' });
    gateway.assign({ attemptId: 'run_1/c/1', type: 'OTHER_SIDE' });
    gateway.assign({ attemptId: 'run_1/d/1', type: 'BOOM', configJson: '[]' });
    const codes = ['a', 'b', 'c', 'd'].map(
      async (name) => (await gateway.report(`run_1/${name}/1`)).error?.code,
    );
    expect(await Promise.all(codes)).toEqual([
      'BROKEN',
      'UNKNOWN_COMMAND_TYPE',
      'WRONG_WORKER',
      'INVALID_INPUT',
    ]);
    expect((await gateway.report('run_1/a/1')).error).toMatchObject({ hint: 'Buy another.' });
  });

  it('begins an attempt once the earlier one of its command has cleaned up', async () => {
    const history: string[] = [];
    let cleaned = (): void => {};
    const command = testCommand('SLOW', async (_config, context) => {
      history.push(`+${context.attempt}`);
      if (context.attempt > 1) return {};
      try {
        return await aborted(context.signal);
      } finally {
        await new Promise<void>((resolve) => {
          cleaned = resolve;
        });
        history.push(`-${context.attempt}`);
      }
    });
    const { gateway } = await setUp([command]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'SLOW', runId: 'run_1', command: 'a', number: 1 });
    await gateway.until(() => history.includes('+1'));
    gateway.attachment.send({ case: 'cancel', value: { attemptId: 'run_1/a/1', reason: 'given up' } });
    gateway.assign({ attemptId: 'run_1/a/2', type: 'SLOW', runId: 'run_1', command: 'a', number: 2 });
    await gateway.until(() => gateway.count('accepted') === 2);
    expect(history).toEqual(['+1']);
    cleaned();
    await gateway.report('run_1/a/2');
    expect(history).toEqual(['+1', '-1', '+2']);
  });

  it('ignores an assignment of an older lease', async () => {
    const { gateway } = await setUp([echo], { welcome: () => ({ leaseEpoch: 5n }) });
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/old/1', type: 'ECHO', leaseEpoch: 4n });
    gateway.assign({ attemptId: 'run_1/new/1', type: 'ECHO', leaseEpoch: 5n });
    await gateway.report('run_1/new/1');
    expect(gateway.reports('run_1/old/1')).toEqual([]);
  });

  it('bounds log lines and says how many were left out', async () => {
    const chatty = testCommand('CHATTY', async (_config, context) => {
      for (let i = 0; i < 10_000; i++) context.log('info', `line ${i} ${'x'.repeat(10_000)}`);
      for (let i = 0; i < 10_000; i++) context.progress({ phase: 'talking', done: i });
      return {};
    });
    const { gateway } = await setUp([chatty]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'CHATTY' });
    await gateway.report('run_1/a/1');
    const lines = gateway.received.flatMap((message) =>
      message.case === 'log' ? [message.value.message] : [],
    );
    const leftOut = lines.map((line) => Number(/^(\d+) log lines were left out/.exec(line)?.[1] ?? 0));
    expect(lines.length).toBeLessThan(1000);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(5000);
    // Each line was sent or is counted, also where a slow machine lets some through in between.
    const sent = leftOut.filter((count) => count === 0).length;
    expect(sent + leftOut.reduce((sum, count) => sum + count, 0)).toBe(10_000);
    expect(gateway.count('progress')).toBeLessThan(20);
  });
});

describe('a command that has to end', () => {
  it('cancelled: reported once it has cleaned up', async () => {
    let cleaned = false;
    const command = testCommand('TIDY', async (_config, context) => {
      try {
        return await aborted(context.signal);
      } finally {
        await new Promise(setImmediate);
        await context.journal.resolve('chg_1', 'RESTORED');
        cleaned = true;
      }
    });
    const { gateway } = await setUp([command]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'TIDY' });
    gateway.attachment.send({ case: 'cancel', value: { attemptId: 'run_1/a/1', reason: 'the user did' } });
    const report = await gateway.report('run_1/a/1');
    expect(report).toMatchObject({
      state: 'CANCELLED',
      error: { code: 'CANCELLED', message: 'the user did' },
    });
    expect(cleaned).toBe(true);
    expect(gateway.records.map(({ action }) => action)).toEqual(['resolve_change']);
  });

  it('says when the clean-up failed', async () => {
    const command = testCommand('UNTIDY', async (_config, context) => {
      await aborted(context.signal).catch(() => undefined);
      throw new OttoError('NOT_RESTORED', 'log_min_duration_statement is still 0');
    });
    const { gateway } = await setUp([command]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'UNTIDY', timeoutMs: 50n });
    const report = await gateway.report('run_1/a/1');
    expect(report).toMatchObject({ state: 'TIMED_OUT', error: { code: 'TIMED_OUT' } });
    expect(report.error?.message).toContain('log_min_duration_statement is still 0');
  });

  it('cancelled before it ever came: reported, so that nobody waits', async () => {
    const { gateway } = await setUp([echo]);
    await gateway.attached();
    gateway.attachment.send({ case: 'cancel', value: { attemptId: 'run_1/a/1', reason: '' } });
    gateway.assign({ attemptId: 'run_1/a/1', type: 'ECHO' });
    expect(await gateway.report('run_1/a/1')).toMatchObject({ state: 'CANCELLED' });
    gateway.assign({ attemptId: 'run_1/b/1', type: 'ECHO' });
    await gateway.report('run_1/b/1');
    expect(gateway.reports('run_1/a/1').every(({ state }) => state === 'CANCELLED')).toBe(true);
  });

  it.each([
    ['cancelled', 'FAILED'],
    ['timed out', 'TIMED_OUT'],
  ])('%s and hanging: given up, said, and whatever it does later does not count', async (how, state) => {
    let context: CommandContext | undefined;
    const command = testCommand('HANGS', (_config, given) => {
      context = given;
      return new Promise(() => {});
    });
    const { gateway, worker } = await setUp([command], {}, { cancelGraceMs: 100 });
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'HANGS', timeoutMs: how === 'timed out' ? 50n : 60_000n });
    if (how === 'cancelled')
      gateway.attachment.send({ case: 'cancel', value: { attemptId: 'run_1/a/1', reason: '' } });
    expect(await gateway.report('run_1/a/1')).toMatchObject({
      state,
      error: { code: 'COMMAND_DID_NOT_STOP' },
    });
    await expect(context?.journal.resolve('chg_1', 'RESTORED')).rejects.toMatchObject({
      code: 'ATTEMPT_OVER',
    });
    worker.stop.abort();
    expect((await worker.ended).reason).toContain('did not stop: run_1/a');
  });
});

describe('the end of a worker', () => {
  it('also ends what was only just accepted', async () => {
    const command = held();
    const { gateway, worker } = await setUp([command.command]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
    await gateway.until(() => gateway.count('accepted') === 1);
    worker.stop.abort();
    expect(await gateway.report('run_1/a/1')).toMatchObject({ error: { code: 'WORKER_STOPPED' } });
    await worker.ended;
  });

  it('DRAIN: nothing new, what runs is finished and reported, then goodbye', async () => {
    const command = held();
    const { gateway, worker } = await setUp([command.command, echo]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
    await gateway.until(() => command.started === 1);
    gateway.attachment.send({ case: 'order', value: { order: 'DRAIN', subject: '' } });
    gateway.assign({ attemptId: 'run_1/b/1', type: 'ECHO' });
    expect((await gateway.report('run_1/b/1')).error?.code).toBe('WORKER_DRAINING');
    command.release({ done: true });
    expect(await gateway.report('run_1/a/1')).toMatchObject({ state: 'SUCCEEDED' });
    expect(await worker.ended).toEqual({ reason: 'the control plane told it to drain' });
    expect(gateway.count('goodbye')).toBe(1);
    expect(await exists(join(worker.root, 'worker.lock'))).toBe(false);
  });

  it('drains no longer than its limit', async () => {
    const command = held();
    const { gateway, worker } = await setUp([command.command], {}, { drainLimitMs: 100 });
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
    await gateway.until(() => command.started === 1);
    worker.drain.abort();
    expect(await gateway.report('run_1/a/1')).toMatchObject({
      state: 'FAILED',
      error: { code: 'WORKER_STOPPED' },
    });
    expect((await worker.ended).reason).toContain('did not end within 0.1 s');
  });

  it('STOP: what runs is ended and reported first', async () => {
    const command = held();
    const { gateway, worker } = await setUp([command.command]);
    await gateway.attached();
    gateway.assign({ attemptId: 'run_1/a/1', type: 'HELD' });
    await gateway.until(() => command.started === 1);
    gateway.attachment.send({ case: 'order', value: { order: 'STOP', subject: '' } });
    expect(await gateway.report('run_1/a/1')).toMatchObject({
      state: 'FAILED',
      error: { code: 'WORKER_STOPPED' },
    });
    expect(await worker.ended).toEqual({ reason: 'the control plane told it to stop' });
    expect(gateway.count('goodbye')).toBe(1);
  });
});
