import { describe, expect, it } from 'vitest';
import { crashSuite } from '../support/crash-suite.js';
import { eventually } from '../support/eventually.js';
import { databasePid, endAll, Otto, rowsOf, workerPids } from '../support/otto.js';
import { kill, processesNaming } from '../support/processes.js';
import { dag, ended, expectEnd, expectNothingLeft, reach, submit } from '../support/scenario.js';

describe('two control planes on one data folder', () => {
  // Each start listens on another worker port: workers of a dead control plane cannot find the living one.
  const suite = crashSuite({ workerPort: 'any' });

  it('the second takes over at once when the first is killed, its workers too', async () => {
    const { data, target, autoConf } = suite;
    const first = suite.otto;
    const second = await Otto.start({ data });
    suite.otto = second;
    const run = await submit(first, dag());
    await reach(data, run, 'capture');
    const owner = async () =>
      (await rowsOf<{ owner: string }>(data, 'select owner from runs where id = $1', [run]))[0]?.owner;
    expect(await owner()).toBe(first.id);
    const before = await workerPids(data);
    await first.kill();
    await expectEnd(data, run, 'SUCCEEDED');
    expect(await owner()).toBe(second.id);
    await expectNothingLeft({ data, run, target, autoConf });
    const still = (await processesNaming(data)).map(({ pid }) => pid);
    expect(before.filter((pid) => still.includes(pid))).toEqual([]);
  }, 240_000);

  it('the first to leave does not stop the database under the other; the last one does', async () => {
    const { data } = suite;
    const second = await Otto.start({ data });
    const postmaster = await databasePid(data);
    await suite.otto.stop();
    expect((await second.api<{ items: unknown[] }>('GET', '/runs')).items.length).toBeGreaterThan(0);
    expect(await databasePid(data)).toBe(postmaster);
    await second.stop();
    const left = await processesNaming(data);
    expect(left).toEqual([]);
    await suite.restart();
  }, 120_000);

  it('everything at once: control plane, workers, clones and database', async () => {
    const { data, target, autoConf } = suite;
    const run = await submit(suite.otto, dag());
    await reach(data, run, 'replay');
    await suite.otto.kill();
    await endAll(data);
    await suite.restart();
    const state = await ended(data, run);
    const replay = (
      await rowsOf<{ state: string }>(
        data,
        "select state from commands where run_id = $1 and name = 'replay'",
        [run],
      )
    )[0]!.state;
    // Its copy was changed by half a replay: it is not played twice on it.
    expect(['SUCCEEDED', 'FAILED']).toContain(replay);
    // A collection from a copy that nobody has any more fails with the reason.
    const collect = (
      await rowsOf<{ state: string }>(
        data,
        "select state from commands where run_id = $1 and name = 'collect'",
        [run],
      )
    )[0]!.state;
    expect(state).toBe(replay === 'SUCCEEDED' && collect === 'SUCCEEDED' ? 'SUCCEEDED' : 'FAILED');
    await expectNothingLeft({ data, run, target, autoConf }, { replay, collect });
  }, 240_000);

  it('a control plane that is frozen for longer than its lease drives nothing when it comes back', async () => {
    const { data, target, autoConf } = suite;
    const first = suite.otto;
    const second = await Otto.start({ data });
    try {
      const run = await submit(first, dag());
      await reach(data, run, 'clone');
      kill(first.pid, 'SIGSTOP');
      await eventually(
        async () => {
          const [row] = await rowsOf<{ owner: string }>(data, 'select owner from runs where id = $1', [run]);
          return row?.owner === second.id;
        },
        { what: 'the second control plane drives the run', everyMs: 100 },
      );
      kill(first.pid, 'SIGCONT');
      await expectEnd(data, run, 'SUCCEEDED');
      await expectNothingLeft({ data, run, target, autoConf });
      const [row] = await rowsOf<{ owner: string }>(data, 'select owner from runs where id = $1', [run]);
      expect(row?.owner).toBe(second.id);
    } finally {
      kill(first.pid, 'SIGCONT');
      await second.stop();
    }
  }, 240_000);
});
