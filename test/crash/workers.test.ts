import { describe, expect, it } from 'vitest';
import { crashSuite } from '../support/crash-suite.js';
import { eventually } from '../support/eventually.js';
import { databasePid, rowsOf, workerPids } from '../support/otto.js';
import { kill } from '../support/processes.js';
import { dag, ended, expectEnd, expectNothingLeft, type Point, reach, submit } from '../support/scenario.js';
import { replicaFollows } from '../support/target.js';

describe('a part other than the control plane', () => {
  const suite = crashSuite();

  const cases: { what: string; point: Point; pids: () => Promise<number[]>; fails?: boolean }[] = [
    {
      what: 'the primary worker, with settings changed',
      point: 'capture',
      pids: () => workerPids(suite.data, 'primary'),
    },
    {
      what: 'the exploratory worker, in the middle of a copy',
      point: 'clone',
      pids: () => workerPids(suite.data, 'exploratory'),
    },
    {
      // A replay that was cut has changed its copy: it is not played twice on it.
      what: 'the exploratory worker, in the middle of a replay',
      point: 'replay',
      pids: () => workerPids(suite.data, 'exploratory'),
      fails: true,
    },
    {
      what: 'the control plane’s own PostgreSQL, during a capture',
      point: 'capture',
      pids: async () => [await databasePid(suite.data)],
    },
    {
      what: 'both workers and the database at once, between commands',
      point: 'between commands',
      pids: async () => [...(await workerPids(suite.data)), await databasePid(suite.data)],
      fails: true,
    },
  ];

  it.each(cases)(
    'kill -9 of $what',
    async ({ point, pids, fails }) => {
      const { data, otto, target, autoConf } = suite;
      const run = await submit(otto, dag());
      await reach(data, run, point);
      for (const pid of await pids()) kill(pid);
      const state = await ended(data, run);
      // A replay may have been over, or not yet begun, when it was hit.
      const replay = await eventually(
        async () =>
          (
            await rowsOf<{ state: string }>(
              data,
              "select state from commands where run_id = $1 and name = 'replay'",
              [run],
            )
          )[0]?.state,
        { what: 'the state of the replay' },
      );
      if (fails) expect(['SUCCEEDED', 'FAILED']).toContain(replay);
      else expect(replay).toBe('SUCCEEDED');
      expect(state).toBe(replay);
      await expectNothingLeft({ data, run, target, autoConf }, { replay });
    },
    240_000,
  );

  it('a worker that hangs loses its lease and its place; what it says late is not believed', async () => {
    const { data, otto, target, autoConf } = suite;
    const run = await submit(otto, dag());
    await reach(data, run, 'capture');
    const [frozen] = await workerPids(data, 'primary');
    kill(frozen!, 'SIGSTOP');
    await eventually(
      async () => {
        const lost = await rowsOf(
          data,
          "select 1 from attempts where run_id = $1 and command = 'capture' and state = 'LOST'",
          [run],
        );
        return lost.length > 0;
      },
      { what: 'the attempt of the frozen worker is lost', everyMs: 100 },
    );
    kill(frozen!, 'SIGCONT');
    await expectEnd(data, run, 'SUCCEEDED');
    await expectNothingLeft({ data, run, target, autoConf });
  }, 240_000);

  it('a primary that restarts during capture', async () => {
    const { data, otto, target, autoConf } = suite;
    const run = await submit(otto, dag({ captureSeconds: 5 }));
    await reach(data, run, 'capture');
    await target.restartPrimary();
    await expectEnd(data, run, 'SUCCEEDED');
    await expectNothingLeft({ data, run, target, autoConf });
    const [{ output }] = (await rowsOf<{ output: { lost: { what: string }[] } }>(
      data,
      "select output from commands where run_id = $1 and name = 'capture'",
      [run],
    )) as [{ output: { lost: { what: string }[] } }];
    expect(Array.isArray(output.lost)).toBe(true);
    await replicaFollows(target);
  }, 240_000);
});
