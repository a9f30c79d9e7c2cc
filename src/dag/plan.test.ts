import { describe, expect, it } from 'vitest';
import type { CommandState } from '../store/index.js';
import { afterAttempt, type Dag, nextMoves, prepareDag, resetForResume } from './index.js';
import { command, dagOf, retry, statuses } from './testing/dags.js';

const calm = { cancelRequested: false, timedOut: false };
const moves = (dag: Dag, states: Record<string, CommandState>, run = calm) =>
  nextMoves(prepareDag(dag), statuses(states), run);
const nothing = { ready: [], judge: [], skip: [], cancelWaiting: [], cancelRunning: [] };

describe('nextMoves', () => {
  const diamond = dagOf(command('a'), command('b', ['a']), command('c', ['a']), command('d', ['b', 'c']));

  it('releases a command when all its parents have ended', () => {
    expect(moves(diamond, {})).toEqual({ ...nothing, ready: ['a'] });
    expect(moves(diamond, { a: 'RUNNING' })).toEqual(nothing);
    expect(moves(diamond, { a: 'SUCCEEDED' }).ready).toEqual(['b', 'c']);
    expect(moves(diamond, { a: 'SUCCEEDED', b: 'SUCCEEDED', c: 'READY' })).toEqual(nothing);
    expect(moves(diamond, { a: 'SUCCEEDED', b: 'SUCCEEDED', c: 'SUCCEEDED' }).ready).toEqual(['d']);
  });

  it('skips what needs a parent that did not succeed, all the way down, and says why', () => {
    expect(moves(diamond, { a: 'FAILED' })).toEqual({
      ...nothing,
      skip: [
        { name: 'b', reason: 'its parent a failed' },
        { name: 'c', reason: 'its parent a failed' },
        { name: 'd', reason: 'its parent b was skipped, and one more parent did not succeed' },
      ],
      done: { state: 'FAILED', error: { code: 'COMMAND_FAILED', message: '1 command failed: a' } },
    });
  });

  it('waits for every parent before it skips', () => {
    expect(moves(diamond, { a: 'SUCCEEDED', b: 'FAILED', c: 'RUNNING' })).toEqual(nothing);
  });

  it('all_done runs, and an expression is left to be judged', () => {
    const dag = dagOf(
      command('a'),
      command('b', ['a'], { when: 'all_done' }),
      command('c', ['a'], { when: 'run.id == "x"' }),
    );
    expect(moves(dag, { a: 'FAILED' })).toEqual({ ...nothing, ready: ['b'], judge: ['c'] });
    expect(moves(dag, {}).judge).toEqual([]);
  });

  const withCleanup = dagOf(
    command('a'),
    command('b', ['a']),
    command('stop', ['b'], { cleanup: true, when: 'all_done' }),
  );

  it('cancel: what waits is cancelled, what runs is asked to stop, clean-up still runs', () => {
    const cancel = { cancelRequested: true, timedOut: false };
    expect(moves(withCleanup, { a: 'RUNNING' }, cancel)).toEqual({
      ...nothing,
      cancelWaiting: ['b'],
      cancelRunning: ['a'],
    });
    expect(moves(withCleanup, { a: 'CANCELLED', b: 'READY' }, cancel)).toEqual({
      ...nothing,
      cancelWaiting: ['b'],
      ready: ['stop'],
    });
    expect(moves(withCleanup, { a: 'CANCELLED', b: 'CANCELLED', stop: 'RUNNING' }, cancel)).toEqual(nothing);
    expect(moves(withCleanup, { a: 'CANCELLED', b: 'CANCELLED', stop: 'SUCCEEDED' }, cancel).done).toEqual({
      state: 'CANCELLED',
    });
  });

  it('clean-up waits for what still runs above what was cancelled: a copy is not deleted under its user', () => {
    const cancel = { cancelRequested: true, timedOut: false };
    expect(moves(withCleanup, { a: 'RUNNING', b: 'CANCELLED' }, cancel).ready).toEqual([]);
    expect(moves(withCleanup, { a: 'CANCELLED', b: 'CANCELLED' }, cancel).ready).toEqual(['stop']);
  });

  it('a cancel that came too late changes nothing', () => {
    const cancel = { cancelRequested: true, timedOut: false };
    expect(moves(withCleanup, { a: 'SUCCEEDED', b: 'SUCCEEDED', stop: 'SUCCEEDED' }, cancel).done).toEqual({
      state: 'SUCCEEDED',
    });
    expect(moves(withCleanup, { a: 'SUCCEEDED', b: 'FAILED', stop: 'SUCCEEDED' }, cancel).done?.state).toBe(
      'FAILED',
    );
  });

  it('out of time: as cancel, with its own end', () => {
    const late = { cancelRequested: false, timedOut: true };
    expect(moves(withCleanup, { a: 'RUNNING' }, late)).toEqual({
      ...nothing,
      cancelWaiting: ['b'],
      cancelRunning: ['a'],
    });
    expect(moves(withCleanup, { a: 'TIMED_OUT', b: 'CANCELLED', stop: 'FAILED' }, late).done).toEqual({
      state: 'TIMED_OUT',
      error: {
        code: 'RUN_TIMED_OUT',
        message: 'the run took longer than its timeout; 1 command failed: a; 1 clean-up command failed: stop',
      },
    });
  });

  it('ends: failures, clean-up failures apart, skipped is no failure', () => {
    expect(moves(withCleanup, { a: 'SUCCEEDED', b: 'SUCCEEDED', stop: 'FAILED' }).done).toEqual({
      state: 'FAILED',
      error: { code: 'CLEANUP_FAILED', message: '1 clean-up command failed: stop' },
    });
    expect(moves(withCleanup, { a: 'FAILED', b: 'SKIPPED', stop: 'TIMED_OUT' }).done).toEqual({
      state: 'FAILED',
      error: { code: 'COMMAND_FAILED', message: '1 command failed: a; 1 clean-up command failed: stop' },
    });
    expect(moves(withCleanup, { a: 'SUCCEEDED', b: 'SKIPPED', stop: 'SUCCEEDED' }).done).toEqual({
      state: 'SUCCEEDED',
    });
    expect(moves(withCleanup, { a: 'CANCELLED', b: 'SKIPPED', stop: 'SUCCEEDED' }).done?.state).toBe(
      'FAILED',
    );
  });
});

describe('afterAttempt', () => {
  const patient = command('a', [], { retry: { ...retry, attempts: 4 } });

  it('tries again with growing waits, then gives up with the last outcome', () => {
    const next = (attempt: number, losses = 0, state: 'FAILED' | 'TIMED_OUT' = 'FAILED') =>
      afterAttempt(patient, { attempt, losses }, state, 'retry', 10_000);
    expect(next(1)).toEqual({ state: 'READY', losses: 0, retryAtMs: 11_000 });
    expect(next(2)).toEqual({ state: 'READY', losses: 0, retryAtMs: 12_000 });
    expect(next(3)).toEqual({ state: 'READY', losses: 0, retryAtMs: 14_000 });
    expect(next(4)).toEqual({ state: 'FAILED', losses: 0 });
    expect(next(4, 0, 'TIMED_OUT')).toEqual({ state: 'TIMED_OUT', losses: 0 });
    expect(next(5, 1)).toEqual({ state: 'FAILED', losses: 1 });
    expect(next(4, 1)).toEqual({ state: 'READY', losses: 1, retryAtMs: 14_000 });
    const steep = command('a', [], {
      retry: { attempts: 99, backoffMs: 1_000, factor: 10, maxBackoffMs: 5_000 },
    });
    expect(afterAttempt(steep, { attempt: 90, losses: 0 }, 'FAILED', 'retry', 0).retryAtMs).toBe(5_000);
  });

  it('a lost worker costs no attempt, three times', () => {
    const lost = (losses: number, policy: 'retry' | 'fail') =>
      afterAttempt(command('a'), { attempt: losses + 1, losses }, 'LOST', policy, 0);
    expect([0, 1, 2, 3].map((losses) => lost(losses, 'retry').state)).toEqual([
      'READY',
      'READY',
      'READY',
      'FAILED',
    ]);
    expect(lost(2, 'retry').losses).toBe(3);
    expect(lost(0, 'fail')).toEqual({ state: 'FAILED', losses: 1 });
  });

  it('ends with success and cancel', () => {
    expect(afterAttempt(patient, { attempt: 1, losses: 0 }, 'SUCCEEDED', 'retry', 0)).toEqual({
      state: 'SUCCEEDED',
      losses: 0,
    });
    expect(afterAttempt(patient, { attempt: 1, losses: 0 }, 'CANCELLED', 'retry', 0)).toEqual({
      state: 'CANCELLED',
      losses: 0,
    });
  });
});

describe('resetForResume', () => {
  const dag = prepareDag(
    dagOf(
      command('worker'),
      command('clone', ['worker']),
      command('capture'),
      command('collect', ['clone']),
      command('replay', ['collect', 'capture']),
      command('stop', ['replay'], { cleanup: true }),
    ),
  );
  const reset = (states: Record<string, CommandState>, gone: string[] = []) =>
    resetForResume(dag, statuses(states), (name) => !gone.includes(name));
  const broken = {
    worker: 'SUCCEEDED',
    clone: 'SUCCEEDED',
    capture: 'SUCCEEDED',
    collect: 'SUCCEEDED',
    replay: 'FAILED',
    stop: 'SUCCEEDED',
  } as const;

  it('does again what failed, and cleans up again', () => {
    expect(reset(broken)).toEqual(['replay', 'stop']);
    expect(reset({ ...broken, collect: 'TIMED_OUT', replay: 'SKIPPED' })).toEqual([
      'collect',
      'replay',
      'stop',
    ]);
  });

  it('launches again what is gone and still needed, but repeats nothing in between', () => {
    expect(reset(broken, ['worker', 'clone'])).toEqual(['worker', 'clone', 'replay', 'stop']);
    expect(reset({ ...broken, replay: 'SUCCEEDED', capture: 'FAILED' }, ['worker', 'clone'])).toEqual([
      'capture',
      'stop',
    ]);
  });

  it('a clean-up that failed does not bring back what it was to remove', () => {
    expect(reset({ ...broken, replay: 'SUCCEEDED', stop: 'FAILED' }, ['worker', 'clone'])).toEqual(['stop']);
  });

  it('has nothing to do where all succeeded', () => {
    expect(reset({ ...broken, replay: 'SUCCEEDED' }, ['worker', 'clone'])).toEqual([]);
  });
});
