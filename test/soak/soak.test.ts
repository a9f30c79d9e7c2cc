import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import { crashSuite } from '../support/crash-suite.js';
import { databasePid, rowsOf, workerPids } from '../support/otto.js';
import { kill } from '../support/processes.js';
import { dag, ended, expectNothingLeft, story, submit } from '../support/scenario.js';

/** Rounds of one soak, and the seed of the first: `OTTO_SOAK_ROUNDS`, `OTTO_SOAK_SEED`. Round n has the seed + n. */
const rounds = Number(process.env.OTTO_SOAK_ROUNDS ?? 20);
const firstSeed = Number(process.env.OTTO_SOAK_SEED ?? Date.now() % 1_000_000);
/** About how long an undisturbed run takes: kills fall anywhere in it, and a little after. */
const runMs = 20_000;

const victims = ['control plane', 'primary worker', 'exploratory worker', 'database'] as const;
type Victim = (typeof victims)[number];

interface Blow {
  atMs: number;
  victim: Victim;
}

/** One to three kills at times of its own. The same seed, the same blows. */
function plan(seed: number): Blow[] {
  const random = xoroshiro128plus(seed);
  const blows = Array.from({ length: uniformInt(random, 1, 3) }, () => ({
    atMs: uniformInt(random, 0, runMs),
    victim: victims[uniformInt(random, 0, victims.length - 1)]!,
  }));
  return blows.sort((one, other) => one.atMs - other.atMs);
}

describe('kills at random times', () => {
  const suite = crashSuite();

  async function strike(victim: Victim): Promise<void> {
    const { data } = suite;
    if (victim === 'control plane') {
      await suite.otto.kill();
      await suite.restart();
    } else if (victim === 'database') {
      kill(await databasePid(data));
    } else {
      for (const pid of await workerPids(data, victim === 'primary worker' ? 'primary' : 'exploratory'))
        kill(pid);
    }
  }

  it.each(Array.from({ length: rounds }, (_, round) => firstSeed + round))('seed %d', async (seed) => {
    const { data, target, autoConf } = suite;
    const blows = plan(seed);
    const run = await submit(suite.otto, dag());
    const began = performance.now();
    for (const { atMs, victim } of blows) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + atMs - performance.now())));
      await strike(victim);
    }
    const state = await ended(data, run);
    const commands = await rowsOf<{ name: string; state: string }>(
      data,
      'select name, state from commands where run_id = $1',
      [run],
    );
    const states = Object.fromEntries(commands.map((command) => [command.name, command.state]));
    const told = blows.map(({ atMs, victim }) => `${victim} at ${(atMs / 1000).toFixed(1)} s`).join(', ');
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`seed ${seed}: ${told}: ${state} after ${seconds} s`);
    const failed = commands.filter((command) => command.state !== 'SUCCEEDED').map(({ name }) => name);
    // Only a replay is not tried again: half of it has changed its copy.
    const excused = blows.some(({ victim }) => victim === 'exploratory worker') ? ['replay'] : [];
    expect(
      failed.filter((name) => !excused.includes(name)),
      await story(data, run),
    ).toEqual([]);
    expect(state).toBe(failed.length === 0 ? 'SUCCEEDED' : 'FAILED');
    await expectNothingLeft({ data, run, target, autoConf }, states);
  });
});
