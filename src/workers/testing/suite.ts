import { afterEach } from 'vitest';
import type { WorkerCommand } from '../command.js';
import type { WorkerOptions } from '../runtime/options.js';
import { aborted, testCommand } from './commands.js';
import { type GatewayScript, TestGateway } from './gateway.js';
import { startTestWorker, type TestWorker } from './worker.js';

/** What is done after each test, last first. */
export const disposals: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const dispose of disposals.splice(0).reverse()) await dispose();
});

/** A control plane and a worker that is attached to it; both end with the test. */
export async function setUp(
  commands: WorkerCommand[],
  script: GatewayScript = {},
  options: Partial<WorkerOptions> = {},
): Promise<{ gateway: TestGateway; worker: TestWorker }> {
  const gateway = await TestGateway.start(script);
  disposals.push(() => gateway.kill());
  const worker = await startTestWorker(gateway, commands, options);
  disposals.push(worker.dispose);
  return { gateway, worker };
}

/** A command that runs until `release` or its signal; tells when it runs. */
export function held(type = 'HELD') {
  let started = 0;
  let release = (_output: unknown): void => {};
  const signals: AbortSignal[] = [];
  const command = testCommand(type, (_config, context) => {
    started += 1;
    signals.push(context.signal);
    return Promise.race([
      aborted(context.signal),
      new Promise((resolve) => {
        release = resolve;
      }),
    ]);
  });
  return {
    command,
    signals,
    get started() {
      return started;
    },
    release: (output: unknown = {}) => release(output),
  };
}
