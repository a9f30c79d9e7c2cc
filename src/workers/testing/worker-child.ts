import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OttoError, silentLogger } from '../../base/index.js';
import { processSignals } from '../runtime/process-signals.js';
import { lockRoot } from '../runtime/root-lock.js';
import { Worker } from '../runtime/worker.js';
import { aborted, testCommand } from './commands.js';

/** A worker as a process of its own, for tests that kill it. Its last line on stdout says how it ended. */
const commands = [
  testCommand('HELD', (_config, context) => aborted(context.signal)),
  // Uses every call there is, then waits.
  testCommand('BUSY', async (_config, context) => {
    const file = join(context.root, 'busy.bin');
    await writeFile(file, Buffer.alloc(500_000));
    const draft = { kind: 'k', name: 'n', format: 'json' as const, manifest: {} };
    const sent = await Promise.all([1, 2, 3].map(() => context.artifacts.put(file, draft)));
    await Promise.all(sent.map(({ id }) => context.artifacts.get(id)));
    await Promise.all([1, 2, 3].map((n) => context.journal.resolve(`chg_${n}`, 'RESTORED')));
    context.log('info', 'all done');
    return aborted(context.signal);
  }),
];

const { controlUrl, root } = JSON.parse(process.env.OTTO_TEST_WORKER ?? '{}') as Record<string, string>;
const signals = processSignals();

async function main(): Promise<Record<string, unknown>> {
  const lock = await lockRoot(root!);
  try {
    const worker = await Worker.open(
      {
        controlUrl: controlUrl!,
        token: 'secret',
        kind: 'exploratory',
        name: 'child',
        root: root!,
        logger: silentLogger,
        cancelGraceMs: 2000,
        ...signals,
      },
      commands,
    );
    return await worker.run();
  } finally {
    await lock.release();
    signals.dispose();
  }
}

main().then(
  (ended) => process.stdout.write(`${JSON.stringify(ended)}\n`),
  (error: unknown) => {
    process.stdout.write(`${JSON.stringify({ error: OttoError.from(error) })}\n`);
    process.exitCode = 1;
  },
);
