import { z } from 'zod';
import type { CommandContext, WorkerCommand } from '../command.js';

/** A command type for tests that does what `run` says. */
export function testCommand(
  type: string,
  run: (config: Record<string, unknown>, context: CommandContext) => Promise<unknown>,
): WorkerCommand {
  return {
    type: {
      type,
      summary: 'for tests',
      place: 'exploratory',
      config: z.record(z.string(), z.unknown()),
      output: z.unknown(),
      defaultTimeoutMs: 60_000,
      onWorkerLost: 'retry',
    },
    run: (config, context) => run(config as Record<string, unknown>, context),
  };
}

/** Rejects with the signal's reason once it is aborted. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}
