import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { InputError } from '../../base/index.js';

const launchOrder = z.object({
  /** Address of the control plane as the worker reaches it. */
  server: z.string(),
  token: z.string(),
  /** PEM text of the certificate authority to trust. */
  ca: z.string().optional(),
  serverName: z.string().optional(),
  insecure: z.boolean().optional(),
});

/** What a launcher says to the worker it has started, on its stdin: so nothing secret is in argv or environment. */
export type LaunchOrder = z.infer<typeof launchOrder>;

export const launchOrderText = {
  order: (order: LaunchOrder): string => `${JSON.stringify(order)}\n`,
  drain: 'drain\n',
};

/**
 * Reads the order, the first line; a later line `drain` aborts the signal. The end of the stream after the order means
 * nothing: a control plane that crashed may come back, and the worker looks for it as any other does.
 */
export async function readLaunchOrder(
  stdin: Readable & { unref?: () => void },
): Promise<{ order: LaunchOrder; drain: AbortSignal }> {
  const drain = new AbortController();
  const lines = createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY });
  const first = await new Promise<string>((resolve) => {
    lines.once('line', resolve);
    lines.once('close', () => resolve(''));
  });
  lines.on('line', (line) => {
    if (line.trim() === 'drain') drain.abort(new Error('its launcher told it to'));
  });
  // Not a reason to stay alive.
  stdin.unref?.();
  return { order: parse(first), drain: drain.signal };
}

function parse(line: string): LaunchOrder {
  try {
    return launchOrder.parse(JSON.parse(line));
  } catch (error) {
    // The text may hold a token: it is not repeated.
    throw new InputError('stdin holds no launch order', {
      code: 'BAD_LAUNCH_ORDER',
      hint: 'This flag is for control planes that launch workers; by hand use --server and --token-file.',
      cause: error instanceof z.ZodError ? error : undefined,
    });
  }
}
