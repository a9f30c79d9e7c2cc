import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventually } from './eventually.js';
import { lastLines, type Otto, rowsOf } from './otto.js';
import { processesNaming } from './processes.js';
import type { Target } from './target.js';

/** The life of a tuning run, small: workers, a copy, a capture, a replay, a collection, the end of the copy. */
export function dag(options: { captureSeconds?: number } = {}) {
  const command = (name: string, type: string, parents: string[], config = {}, rest = {}) => ({
    command_name: name,
    command_type: type,
    parent_command_names: parents,
    config,
    ...rest,
  });
  return {
    name: 'crash',
    version: '1',
    commands: [
      command('primary', 'LAUNCH_PRIMARY_WORKER', []),
      command('exploratory', 'LAUNCH_EXPLORATORY_WORKER', []),
      command('clone', 'LAUNCH_EXPLORATORY_POSTGRES', ['primary', 'exploratory'], {
        snapshot: true,
        source: 'replica',
      }),
      command('capture', 'CAPTURE_PRIMARY_WORKLOAD', ['clone'], {
        time_period: options.captureSeconds ?? 3,
      }),
      command('replay', 'REPLAY_WORKLOAD', ['clone', 'capture'], {
        capture: 'capture',
        where: 'clone',
        speed: 1,
      }),
      command(
        'collect',
        'COLLECT_DATA_FROM_EXPLORATORY',
        ['replay'],
        {
          target: 'clone',
          data_collector_type: 'CATALOG',
          data_collector_config: {},
        },
        { when: 'all_done' },
      ),
      command(
        'stop',
        'STOP_EXPLORATORY_POSTGRES',
        ['collect'],
        { launch_command: 'clone' },
        { cleanup: true },
      ),
    ],
  };
}

/** Places in a run at which something can be killed, and how each is recognised in the rows. */
export const points = {
  launch: "select 1 from workers where run_id = $1 and state = 'STARTING'",
  clone: "select 1 from clones where run_id = $1 and state = 'STARTING'",
  capture:
    "select 1 from changes where run_id = $1 and state = 'INTENDED' group by run_id having count(*) > 1",
  'between commands': "select 1 from commands where run_id = $1 and name = 'capture' and state = 'SUCCEEDED'",
  replay: "select 1 from attempts where run_id = $1 and command = 'replay' and state = 'RUNNING'",
  finalise:
    "select 1 from commands where run_id = $1 and name = 'stop' and state in ('RUNNING', 'SUCCEEDED')",
} as const;
export type Point = keyof typeof points;

/** Registers the target once for a data folder. Production: nothing but a capture may touch it. */
export async function register(otto: Otto, target: Target, name = 'shop'): Promise<void> {
  await otto.api('POST', '/targets', {
    name,
    url: target.primary.url,
    replicaUrl: target.replica.url,
    production: true,
  });
}

export async function submit(
  otto: Otto,
  document: unknown,
  target: string | undefined = 'shop',
): Promise<string> {
  const { id } = await otto.api<{ id: string }>('POST', '/runs', {
    document,
    ...(target !== undefined && { target }),
  });
  return id;
}

/** Waits until the run is there, or has ended before anyone could look. */
export async function reach(data: string, run: string, point: Point): Promise<void> {
  await eventually(
    async () => {
      if ((await rowsOf(data, points[point], [run])).length > 0) return true;
      const [row] = await rowsOf<{ ended_at: Date | null; state: string }>(
        data,
        'select ended_at, state from runs where id = $1',
        [run],
      );
      if (row?.ended_at && point !== 'finalise') throw new Error(`the run has ended ${row.state}`);
      return row?.ended_at != null;
    },
    { what: `the run is at: ${point}`, state: () => story(data, run) },
  );
}

export async function ended(data: string, run: string, limitMs = 180_000): Promise<string> {
  return await eventually(
    async () => {
      const [row] = await rowsOf<{ state: string; ended_at: Date | null }>(
        data,
        'select state, ended_at from runs where id = $1',
        [run],
      );
      return row?.ended_at ? row.state : undefined;
    },
    { what: 'the run ends', limitMs, everyMs: 100, state: () => story(data, run) },
  );
}

export async function expectEnd(data: string, run: string, state: string): Promise<void> {
  const end = await ended(data, run);
  expect(end, end === state ? '' : await story(data, run)).toBe(state);
}

/** What happened, in words: for the message of a test that failed. */
export async function story(data: string, run: string): Promise<string> {
  try {
    const events = await rowsOf<{ at: Date; command: string | null; message: string }>(
      data,
      'select at, command, message from events where run_id = $1 order by id',
      [run],
    );
    const workers = await rowsOf(data, 'select id, state, note from workers where run_id = $1', [run]);
    const lines = events.map(
      ({ at, command, message }) => `${at.toISOString().slice(11, 23)} ${command ?? '-'} ${message}`,
    );
    return [...lines.slice(-60), JSON.stringify(workers), await lastLines(join(data, 'up.log'), 15)].join(
      '\n',
    );
  } catch (error) {
    return `no story: ${(error as Error).message}\n${await lastLines(join(data, 'up.log'))}`;
  }
}

/**
 * After a run: no process of it, no copy, the owner's settings as they were, nothing open in the journal, every effect
 * once.
 */
export async function expectNothingLeft(
  context: { data: string; run: string; target: Target; autoConf: string },
  states: Partial<Record<string, string>> = {},
): Promise<void> {
  const { data, run, target, autoConf } = context;
  const say = () => story(data, run);
  // The last words of a worker's process may come after those of its run.
  await eventually(async () => (await processesNaming(join(data, 'workers'))).length === 0, {
    what: 'no process of a worker or a clone is left',
    limitMs: 90_000,
    everyMs: 100,
    state: async () =>
      `${JSON.stringify(await processesNaming(join(data, 'workers')), null, 1)}\n${await say()}`,
  });
  expect(await cloneFolders(data), await say()).toEqual([]);
  expect(await target.autoConf(), await say()).toBe(autoConf);
  const open = await rowsOf(data, "select setting from changes where state = 'INTENDED'");
  expect(open, await say()).toEqual([]);
  const commands = await rowsOf<{ name: string; state: string }>(
    data,
    'select name, state from commands where run_id = $1 order by ordinal',
    [run],
  );
  const expected = Object.fromEntries(commands.map(({ name }) => [name, states[name] ?? 'SUCCEEDED']));
  expect(Object.fromEntries(commands.map(({ name, state }) => [name, state])), await say()).toEqual(expected);
  const twice = await rowsOf(
    data,
    `select a.command from attempts a join commands c on c.run_id = a.run_id and c.name = a.command
     where a.run_id = $1 and a.state = 'SUCCEEDED' and a.number > c.attempts_before
     group by a.command having count(*) > 1`,
    [run],
  );
  expect(twice, await say()).toEqual([]);
  const openAttempts = await rowsOf(
    data,
    `select id, state from attempts where run_id = $1 and state in ('ASSIGNED', 'RUNNING')`,
    [run],
  );
  expect(openAttempts, await say()).toEqual([]);
  const stored = await rowsOf<{ command: string; n: number }>(
    data,
    `select command, count(*)::int as n from artifacts where run_id = $1 and deleted_at is null group by command order by command`,
    [run],
  );
  const makers = ['capture', 'collect', 'replay'].filter((name) => expected[name] === 'SUCCEEDED');
  expect(stored, await say()).toEqual(makers.map((command) => ({ command, n: 1 })));
}

async function cloneFolders(data: string): Promise<string[]> {
  const workers = join(data, 'workers');
  if (!existsSync(workers)) return [];
  const found: string[] = [];
  for (const worker of await readdir(workers)) {
    const clones = join(workers, worker, 'clones');
    if (existsSync(clones)) found.push(...(await readdir(clones)).map((name) => join(worker, name)));
  }
  return found;
}
