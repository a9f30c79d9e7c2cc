import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { testFolder } from '../../src/postgres/testing/index.js';
import { endAll, Otto } from './otto.js';
import { register } from './scenario.js';
import { startTarget, type Target } from './target.js';

/** A target and a control plane for the tests of one file; between tests somebody may have killed it. */
export interface CrashSuite {
  target: Target;
  data: string;
  autoConf: string;
  otto: Otto;
  /** Starts the control plane again on the same data folder. */
  restart(): Promise<void>;
}

export function crashSuite(options: { workerPort?: 'fixed' | 'any' } = {}): CrashSuite {
  const suite = {} as CrashSuite;
  let workerPort: number | undefined;

  beforeAll(async () => {
    suite.target = await startTarget();
    suite.data = await testFolder();
    suite.autoConf = await suite.target.autoConf();
    if (options.workerPort !== 'any') workerPort = await Otto.freePort();
    suite.restart = async () => {
      suite.otto = await Otto.start({ data: suite.data, ...(workerPort !== undefined && { workerPort }) });
    };
    await suite.restart();
    await register(suite.otto, suite.target);
  });

  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    // What a failed test leaves would make the next one fail as well, and hide why.
    await suite.otto.kill();
    await endAll(join(suite.data, 'workers'));
    await suite.restart();
  });

  afterAll(async () => {
    await suite.otto?.stop();
    if (suite.data) {
      await endAll(suite.data);
      await rm(suite.data, { recursive: true, force: true });
    }
    await suite.target?.stop();
  });

  return suite;
}
