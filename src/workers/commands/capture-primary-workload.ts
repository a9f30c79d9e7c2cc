import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { inside, OttoError, parseDuration, sha256 } from '../../base/index.js';
import { defineCommandType } from '../../dag/index.js';
import { type CaptureManifest, captureWorkload } from '../../workload/index.js';
import type { CommandContext, WorkerCommand } from '../command.js';
import { captureType } from './captures.js';
import { duration } from './schemas.js';

const workloadKind = 'workload';

const config = z.strictObject({
  time_period: duration.default(5).describe('Length of the capture; a number is seconds'),
  method: z.enum(['auto', 'log', 'statements', 'proxy']).default('auto'),
  redact: z
    .boolean()
    .default(false)
    .refine((redact) => !redact, 'is not available in this version: parameters are archived as captured'),
});

const output = z.object({
  artifact: z.string().describe('Id of the archive, for REPLAY_WORKLOAD'),
  bytes: z.number(),
  seconds: z.number(),
  method: z.string(),
  counts: z.record(z.string(), z.number()),
  lost: z.array(z.object({ what: z.string(), count: z.number().nullable(), why: z.string() })),
  restored: z.array(
    z.object({
      setting: z.string(),
      outcome: z.enum(['RESTORED', 'KEPT_THEIRS']),
      note: z.string().optional(),
    }),
  ),
});

type Config = z.infer<typeof config>;
type Output = z.infer<typeof output>;

export const capturePrimaryWorkload: WorkerCommand<Config, Output> = {
  type: defineCommandType<Config, Output>({
    type: captureType,
    summary: 'Archives every statement of the primary for a while; its settings are put back exactly.',
    place: 'primary',
    config,
    output,
    // Settings, log rotation and the archive take their time besides the capture itself.
    defaultTimeoutMs: ({ time_period }) => 3 * parseDuration(time_period) + 15 * 60_000,
    onWorkerLost: 'retry',
  }),
  run: capture,
};

async function capture(config: Config, context: CommandContext): Promise<Output> {
  const { target } = context;
  if (!target) {
    throw new OttoError('NO_TARGET', 'a capture needs a target, and this run has none', {
      hint: 'Submit the DAG with a target.',
    });
  }
  if (config.method === 'statements' || config.method === 'proxy') {
    throw new OttoError(
      'METHOD_NOT_AVAILABLE',
      `method "${config.method}" is not available in this version`,
      {
        hint: 'Available: "log" and "auto".',
      },
    );
  }
  const folder = inside(context.root, 'captures', sha256(context.key).slice(0, 20));
  await rm(folder, { recursive: true, force: true });
  try {
    const { file, manifest } = await captureWorkload({
      url: target.primaryUrl,
      server: 'primary',
      seconds: parseDuration(config.time_period) / 1000,
      method: config.method,
      journal: context.journal,
      outDirectory: folder,
      signal: context.signal,
      progress: context.progress,
      logger: context.logger,
      clock: context.clock,
    });
    sayWhatHappened(manifest, context);
    context.progress({ phase: 'storing' });
    const artifact = await context.artifacts.put(file, {
      kind: workloadKind,
      name: 'workload.parquet',
      format: 'parquet',
      rows: manifest.counts.events,
      manifest: { ...manifest },
    });
    return {
      artifact: artifact.id,
      bytes: artifact.bytes,
      seconds: manifest.seconds,
      method: manifest.method,
      counts: { ...manifest.counts },
      lost: manifest.lost,
      restored: manifest.settings.restored,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function sayWhatHappened(manifest: CaptureManifest, context: CommandContext): void {
  context.log('info', `captured by ${manifest.method}: ${manifest.why}`);
  for (const { what, count, why } of manifest.lost) {
    context.log('warn', `lost: ${what} (${count ?? 'unknown number'}): ${why}`);
  }
  for (const { setting, outcome, note } of manifest.settings.restored) {
    if (outcome === 'KEPT_THEIRS')
      context.log('warn', `${setting} was not put back: ${note ?? 'it was changed meanwhile'}`);
  }
}
