import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InputError } from '../../base/index.js';
import { allCommands } from '../loading.js';
import type { WorkerOptions } from './options.js';
import { lockRoot } from './root-lock.js';
import { Worker } from './worker.js';

/**
 * Attaches to a control plane and does what it is assigned until it is drained, stopped, refused, or orphaned.
 * Listens on nothing: one outgoing HTTP/2 connection carries everything.
 *
 * Resolves with the reason, in words, when it ended as it should. Rejects with what the control plane refused it for
 * (TOKEN_REFUSED, a stale lease, another protocol…), with ROOT_LOCKED when another process uses the root, and with an
 * InputError for options that cannot work.
 */
export async function runWorker(options: WorkerOptions): Promise<{ reason: string }> {
  if (options.token === '') throw new InputError('a worker needs a token');
  const root = resolve(options.root);
  await mkdir(root, { recursive: true, mode: 0o711 });
  const lock = await lockRoot(root);
  try {
    const commands = options.commands ?? (await allCommands(options.plugins ?? []));
    const worker = await Worker.open({ ...options, root }, commands);
    return await worker.run();
  } finally {
    await lock.release();
  }
}
