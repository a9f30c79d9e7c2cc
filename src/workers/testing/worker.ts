import { rm } from 'node:fs/promises';
import { silentLogger } from '../../base/index.js';
import { testFolder } from '../../postgres/testing/index.js';
import type { WorkerCommand } from '../command.js';
import type { WorkerOptions } from '../runtime/options.js';
import { lockRoot } from '../runtime/root-lock.js';
import { Worker } from '../runtime/worker.js';
import type { TestGateway } from './gateway.js';

export interface TestWorker {
  root: string;
  stop: AbortController;
  drain: AbortController;
  /** How it ended. */
  ended: Promise<{ reason: string }>;
  /** Stops it and removes its root. */
  dispose(): Promise<void>;
}

/** A worker in this process, attached to a scripted control plane. */
export async function startTestWorker(
  gateway: TestGateway,
  commands: WorkerCommand[],
  options: Partial<WorkerOptions> = {},
): Promise<TestWorker> {
  const root = options.root ?? (await testFolder());
  const stop = new AbortController();
  const drain = new AbortController();
  const lock = await lockRoot(root);
  const worker = await Worker.open(
    {
      controlUrl: gateway.url,
      token: 'secret',
      kind: 'exploratory',
      id: 'wrk_test',
      name: 'test',
      logger: silentLogger,
      cancelGraceMs: 2000,
      drain: drain.signal,
      signal: stop.signal,
      ...options,
      root,
    },
    commands,
  );
  const ended = worker.run().finally(() => lock.release());
  // Tests that expect a refusal look at it; the others must not die of it unhandled.
  ended.catch(() => undefined);
  return {
    root,
    stop,
    drain,
    ended,
    dispose: async () => {
      stop.abort();
      await ended.catch(() => undefined);
      if (options.root === undefined) await rm(root, { recursive: true, force: true });
    },
  };
}
