import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { allCommandTypes } from '../src/workers/index.js';

/** What went wrong in systems like this one before, and the tests that show that it cannot here. */
interface Defect {
  was: string;
  shownBy: { file: string; tests: string[] }[];
}

const crash = 'test/crash';

const defects: Defect[] = [
  {
    was: 'one exception kills the engine silently; a poisoned message does so again after the restart',
    shownBy: [
      {
        file: 'src/dag/engine/engine.test.ts',
        tests: ['fails with the command that failed, skips what depends on it, and goes on elsewhere'],
      },
      { file: 'src/workers/runtime/worker.test.ts', tests: ['fails what it cannot do with the reason'] },
      { file: 'src/dag/validate-hostile.test.ts', tests: ['arbitrary JSON'] },
    ],
  },
  {
    was: 'no failure state: what goes wrong stays RUNNING',
    shownBy: [
      {
        file: 'src/dag/engine/engine.test.ts',
        tests: [
          'ends an attempt at its limit',
          'ends at its own limit, with its clean-up',
          'is cancelled: what waits never starts, what runs is stopped, clean-up still runs',
        ],
      },
    ],
  },
  {
    was: 'STOP never completes; a command that does nothing; a sample DAG whose typo kills the engine',
    shownBy: [
      {
        file: 'src/workers/commands/exploratory-postgres.test.ts',
        tests: ['an empty server: registered before it is made, on loopback only, gone afterwards'],
      },
      { file: 'src/dag/documents.test.ts', tests: ['the slide of the original, word for word, is valid'] },
      { file: 'src/dag/validate.test.ts', tests: ['all at once, each with its line'] },
    ],
  },
  {
    was: 'children lost in a crash between two writes; no leases, no heartbeats',
    shownBy: [
      { file: `${crash}/control-plane.test.ts`, tests: ['during: %s'] },
      { file: `${crash}/workers.test.ts`, tests: ['kill -9 of $what'] },
      { file: 'src/control/upkeep/sweeper.test.ts', tests: ['is driven, in a new generation, once'] },
    ],
  },
  {
    was: 'capture restarts production, and overwrites the owner’s logging settings',
    shownBy: [
      {
        file: 'src/workload/capture/capture.test.ts',
        tests: [
          'has every statement exactly once, with its parameters and outcome; nothing is restarted or left changed',
          'keeps what the owner sets meanwhile, and says so',
        ],
      },
      {
        file: `${crash}/control-plane.test.ts`,
        tests: [
          'Ctrl-C in the middle of a capture: the settings are back before it ends, and the next one goes on',
        ],
      },
    ],
  },
  {
    was: 'chunks cut or empty; the extended protocol and parameters lost; rotation by size loses chunks',
    shownBy: [
      {
        file: 'src/workload/capture/log-tail.test.ts',
        tests: [
          'is read in the order of writing over many files, with lines cut anywhere',
          'is read to its end when its file is renamed or deleted',
        ],
      },
      {
        file: 'src/workload/log/parameters.test.ts',
        tests: ['come back as they were, whatever the values hold'],
      },
    ],
  },
  {
    was: 'a copy of a live standby that may be inconsistent; a silent fall-back to an empty one',
    shownBy: [
      {
        file: 'src/postgres/clone/backup.test.ts',
        tests: ['from a %s by %s, while it is written: consistent, and writable'],
      },
      {
        file: 'src/postgres/clone/methods.test.ts',
        tests: ['a replica that is down is an error, never an empty clone'],
      },
    ],
  },
  {
    was: 'a full dump of production every five minutes, kept for ever, buffered in memory',
    shownBy: [
      { file: 'test/store/artifact-store.test.ts', tests: ['deletes what expired, once, whoever sweeps'] },
      {
        file: 'src/postgres/clone/methods.test.ts',
        tests: ['too little space is found before anything is copied'],
      },
    ],
  },
  {
    was: 'recommendations from a schema without its indexes, with a made-up benefit',
    shownBy: [{ file: 'test/defects.test.ts', tests: ['this version recommends and applies nothing'] }],
  },
  {
    was: 'apply: shell injection, APPLIED reported on error, nothing verified or taken back',
    shownBy: [
      {
        file: 'src/workers/commands/run-program.test.ts',
        tests: ['uses no shell, its own folder, and nothing of the environment of the worker'],
      },
      {
        file: 'src/postgres/settings/settings.test.ts',
        tests: ['changes without a restart, in force at once, and restores exactly'],
      },
      { file: 'test/defects.test.ts', tests: ['this version recommends and applies nothing'] },
    ],
  },
  {
    was: 'the recorded range of a workload is that of its row, not of the capture',
    shownBy: [{ file: 'src/workload/capture/capture.test.ts', tests: ['counts what runs over its edges'] }],
  },
  {
    was: 'registration with a bad host kills the consumer of the queue',
    shownBy: [
      {
        file: 'src/control/services/targets.test.ts',
        tests: ['is registered as UNHEALTHY with the reason, and the others are checked all the same'],
      },
    ],
  },
  {
    was: 'no authentication, no TLS, requests forged by other sites, secrets in the clear',
    shownBy: [
      {
        file: 'src/server/authorisation.test.ts',
        tests: [
          'answers 401 without a token, with a false one and with a revoked one',
          'answers 403 to every role below its own, and to worker tokens',
        ],
      },
      {
        file: 'src/server/session.test.ts',
        tests: ['changes things only with the header and from the same origin'],
      },
      {
        file: 'src/server/listeners.test.ts',
        tests: ['are not opened to others without TLS, nor ever without tokens'],
      },
      { file: 'src/server/secrets.test.ts', tests: ['a password given once is never seen again'] },
    ],
  },
  {
    was: 'delete accepts any port',
    shownBy: [
      {
        file: 'src/postgres/clone/drop-clone.test.ts',
        tests: ["the primary's port frees nothing", "a pid file that names the primary's process"],
      },
      {
        file: 'src/workers/commands/exploratory-postgres.test.ts',
        tests: ['and so the production server cannot be named at all'],
      },
    ],
  },
  {
    was: 'a UI of fixtures: invented actions and charts, broken for any other database',
    shownBy: [{ file: 'test/web/pages.test.ts', tests: ['submits with parameters, and cancels'] }],
  },
  {
    was: 'no tests, no metrics',
    shownBy: [
      { file: 'src/server/resources.test.ts', tests: ['is counted for Prometheus, also what is at zero'] },
    ],
  },
];

const root = fileURLToPath(new URL('..', import.meta.url));

describe('a defect that is known from elsewhere', () => {
  it('is one of sixteen', () => {
    expect(defects).toHaveLength(16);
  });

  it.each(defects)('has tests: $was', async ({ shownBy }) => {
    expect(shownBy.length).toBeGreaterThan(0);
    for (const { file, tests } of shownBy) {
      expect(existsSync(root + file), file).toBe(true);
      const text = await readFile(root + file, 'utf8');
      for (const test of tests) expect(namesTest(text, test), `${file} has no test "${test}"`).toBe(true);
    }
  });

  it('this version recommends and applies nothing', async () => {
    const types = (await allCommandTypes([])).map(({ type }) => type);
    expect(types.filter((type) => /ACTION|TUNING|APPLY|RECOMMEND|TRAIN|FORECAST/.test(type))).toEqual([]);
  });
});

/** Whether the text calls something, such as `it` or what `it.each` returns, with this name and more. */
function namesTest(text: string, name: string): boolean {
  const literal = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`\\(\\s*(['"\`])${literal}\\1,`).test(text);
}
