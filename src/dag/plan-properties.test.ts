import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandState } from '../store/index.js';
import {
  afterAttempt,
  type CommandStatus,
  type Dag,
  type DagCommand,
  isTerminal,
  nextMoves,
  prepareDag,
  resetForResume,
} from './index.js';
import { command, dagOf, retry, statuses } from './testing/dags.js';

const calm = { cancelRequested: false, timedOut: false };

type Outcome = 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'LOST' | 'CANCELLED';

interface Scenario {
  dag: Dag;
  outcomes: Outcome[];
  /** Step at which the run is cancelled or runs out of time; beyond the end: never. */
  stopAt: number;
  stopBy: 'cancel' | 'timeout';
  verdicts: boolean[];
  picks: number[];
}

const scenario: fc.Arbitrary<Scenario> = fc
  .array(
    fc.record({
      parents: fc.array(fc.nat(1_000), { maxLength: 3 }),
      when: fc.constantFrom('all_succeeded', 'all_succeeded', 'all_done', 'run.id == "x"'),
      cleanup: fc.boolean(),
      attempts: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .chain((shapes) =>
    fc.record({
      dag: fc.constant(buildDag(shapes)),
      outcomes: fc.array(
        fc.constantFrom<Outcome>(
          'SUCCEEDED',
          'SUCCEEDED',
          'SUCCEEDED',
          'FAILED',
          'TIMED_OUT',
          'LOST',
          'CANCELLED',
        ),
        { minLength: 10, maxLength: 60 },
      ),
      stopAt: fc.integer({ min: 0, max: 60 }),
      stopBy: fc.constantFrom<'cancel' | 'timeout'>('cancel', 'timeout'),
      verdicts: fc.array(fc.boolean(), { minLength: 5, maxLength: 10 }),
      picks: fc.array(fc.nat(1_000), { minLength: 10, maxLength: 40 }),
    }),
  );

function buildDag(shapes: { parents: number[]; when: string; cleanup: boolean; attempts: number }[]): Dag {
  const commands: DagCommand[] = [];
  shapes.forEach(({ parents, when, cleanup, attempts }, index) => {
    const earlier = commands.filter((one) => cleanup || !one.cleanup);
    const names =
      earlier.length === 0 ? [] : [...new Set(parents.map((pick) => earlier[pick % earlier.length]!.name))];
    commands.push(
      command(`c${index}`, names, {
        when: cleanup ? 'all_done' : when,
        cleanup,
        retry: { ...retry, attempts },
      }),
    );
  });
  // A document may list children before their parents.
  return dagOf(...commands.reverse());
}

/** Drives a run to its end the way the engine does, with invented outcomes. */
function drive({ dag, outcomes, stopAt, stopBy, verdicts, picks }: Scenario) {
  const prepared = prepareDag(dag);
  const byName = new Map(dag.commands.map((one) => [one.name, one]));
  const all = new Map<string, CommandStatus>(
    dag.commands.map(({ name }) => [name, { name, state: 'PENDING', attempt: 0, losses: 0 }]),
  );
  const begun: { name: string; parents: CommandState[]; above: CommandState[]; stopping: boolean }[] = [];
  const set = (name: string, change: Partial<CommandStatus>) =>
    all.set(name, { ...all.get(name)!, ...change });
  for (let step = 0; ; step += 1) {
    if (step > 2_000) throw new Error('the run does not end');
    const stopping = step >= stopAt;
    const now = nextMoves(prepared, all, {
      cancelRequested: stopping && stopBy === 'cancel',
      timedOut: stopping && stopBy === 'timeout',
    });
    for (const name of now.ready) set(name, { state: 'READY' });
    for (const name of now.judge)
      set(name, { state: verdicts[step % verdicts.length]! ? 'READY' : 'SKIPPED' });
    for (const { name } of now.skip) set(name, { state: 'SKIPPED' });
    for (const name of now.cancelWaiting) set(name, { state: 'CANCELLED' });
    if (now.done) return { all, begun, done: now.done, stopped: stopping };
    const ready = [...all.values()].filter(({ state }) => state === 'READY');
    const running = [...all.values()].filter(({ state }) => state === 'RUNNING');
    const pick = picks[step % picks.length]!;
    const starts = ready[pick % Math.max(1, ready.length)];
    const ends = running[pick % Math.max(1, running.length)];
    if (starts && (!ends || pick % 2 === 0)) {
      const { name } = starts;
      const parents = byName.get(name)!.parents.map((parent) => all.get(parent)!.state);
      const above = ancestorsOf(byName, name).map((ancestor) => all.get(ancestor)!.state);
      begun.push({ name, parents, above, stopping });
      set(name, { state: 'RUNNING', attempt: starts.attempt + 1 });
    } else if (ends) {
      const asked = now.cancelRunning.includes(ends.name);
      const state = asked ? 'CANCELLED' : outcomes[step % outcomes.length]!;
      const after = afterAttempt(byName.get(ends.name)!, ends, state, 'retry', 0);
      set(ends.name, { state: after.state, losses: after.losses });
    } else if (now.judge.length + now.ready.length + now.skip.length + now.cancelWaiting.length === 0) {
      throw new Error('the run stands still');
    }
  }
}

function ancestorsOf(byName: Map<string, DagCommand>, name: string): string[] {
  const found = new Set<string>();
  for (const work = [name]; work.length > 0; ) {
    for (const parent of byName.get(work.pop()!)!.parents) {
      if (!found.has(parent)) work.push(parent);
      found.add(parent);
    }
  }
  return [...found];
}

describe('for any DAG and any outcomes', () => {
  const driven = (check: (scenario: Scenario, result: ReturnType<typeof drive>) => void) =>
    fc.assert(
      fc.property(scenario, (one) => check(one, drive(one))),
      { numRuns: 400 },
    );

  it('the run ends, with every command in a terminal state', () => {
    driven((_, { all }) => {
      for (const { state } of all.values()) expect(isTerminal(state)).toBe(true);
    });
  });

  it('no command starts before all its ancestors have ended', () => {
    driven((_, { begun }) => {
      for (const { above } of begun) expect(above.every(isTerminal)).toBe(true);
    });
  });

  it('after a parent that did not succeed no all_succeeded child runs', () => {
    driven(({ dag }, { begun }) => {
      const strict = new Set(
        dag.commands.filter((one) => one.when === 'all_succeeded' && !one.cleanup).map(({ name }) => name),
      );
      for (const { name, parents } of begun) {
        if (strict.has(name)) expect(parents.every((state) => state === 'SUCCEEDED')).toBe(true);
      }
    });
  });

  it('every clean-up command runs, whatever happened', () => {
    driven(({ dag }, { begun }) => {
      const ran = new Set(begun.map(({ name }) => name));
      for (const { name, cleanup } of dag.commands) if (cleanup) expect(ran.has(name)).toBe(true);
    });
  });

  it('once stopped, nothing but clean-up starts', () => {
    driven(({ dag }, { begun }) => {
      const cleanups = new Set(dag.commands.filter((one) => one.cleanup).map(({ name }) => name));
      for (const { name, stopping } of begun) if (stopping) expect(cleanups.has(name)).toBe(true);
    });
  });

  it('the end says what happened', () => {
    driven(({ stopBy }, { all, done, stopped }) => {
      const states = [...all.values()].map(({ state }) => state);
      const bad = states.some(
        (state) => state === 'FAILED' || state === 'TIMED_OUT' || state === 'CANCELLED',
      );
      expect(done.state === 'SUCCEEDED').toBe(!bad);
      if (done.state === 'CANCELLED') expect(stopped && stopBy === 'cancel').toBe(true);
      if (done.state === 'TIMED_OUT') expect(stopped && stopBy === 'timeout').toBe(true);
    });
  });

  it('resuming an ended run again leads to an end', () => {
    driven((one, { all }) => {
      const names = resetForResume(prepareDag(one.dag), all, () => false);
      const state = new Map(all);
      for (const name of names) state.set(name, { name, state: 'PENDING', attempt: 0, losses: 0 });
      const after = nextMoves(prepareDag(one.dag), state, calm);
      if (names.length === 0) expect(after.done).toBeDefined();
      else expect(after.ready.length + after.judge.length + after.skip.length).toBeGreaterThan(0);
    });
  });
});

describe('size', () => {
  const run = (dag: Dag) => {
    const began = process.cpuUsage();
    const { done } = drive({
      dag,
      outcomes: ['SUCCEEDED'],
      stopAt: 1e9,
      stopBy: 'cancel',
      verdicts: [true],
      picks: [1, 2],
    });
    expect(done).toEqual({ state: 'SUCCEEDED' });
    return process.cpuUsage(began).user / 1_000;
  };
  const names = Array.from({ length: 900 }, (_, index) => `c${index}`);

  it('a chain and a fan of 900 are driven in a moment', () => {
    const chain = dagOf(...names.map((name, index) => command(name, index === 0 ? [] : [names[index - 1]!])));
    const fan = dagOf(
      command('first'),
      ...names.map((name) => command(name, ['first'])),
      command('last', names),
    );
    // About 0.2 s each, most of it in this test's own copies.
    expect(run(chain)).toBeLessThan(5_000);
    expect(run(fan)).toBeLessThan(5_000);
  });

  it('a move over 10,000 commands', () => {
    const large = Array.from({ length: 10_000 }, (_, index) =>
      command(`n${index}`, index === 0 ? [] : [`n${index - 1}`]),
    );
    const prepared = prepareDag(dagOf(...large));
    const all = statuses(
      Object.fromEntries(large.map(({ name }, index) => [name, index < 5_000 ? 'SUCCEEDED' : 'PENDING'])),
    );
    const began = process.cpuUsage();
    for (let round = 0; round < 20; round += 1)
      expect(nextMoves(prepared, all, calm).ready).toEqual(['n5000']);
    // About 1 ms each.
    expect(process.cpuUsage(began).user / 1_000 / 20).toBeLessThan(100);
  });
});
