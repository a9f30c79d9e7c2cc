import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { InputError, inside, OttoError, sha256, zodIssues } from '../../base/index.js';
import { defineCommandType } from '../../dag/index.js';
import { type AnyCollector, type CollectorRole, collectorNamed, runCollector } from '../../workload/index.js';
import type { CommandContext, WorkerCommand } from '../command.js';
import { captureArtifact, captureName, captureReference } from './captures.js';
import { cloneOf, launchType } from './clones.js';

const servers = ['replica', 'primary', 'exploratory'];

const shape = z.strictObject({
  target: z
    .string()
    .min(1)
    .describe(
      '"replica", "primary", the name of a launch command, or "exploratory" for the only clone of the run',
    ),
  data_collector_type: z.string().min(1),
  data_collector_config: z.record(z.string(), z.unknown()).default({}),
  capture: captureName.optional().describe('A captured workload, for collectors that look at one'),
});

const output = z.object({
  artifact: z.string(),
  collector: z.string(),
  target: z.string(),
  rows: z.number(),
  seconds: z.number(),
  warnings: z.array(z.string()),
});

type Config = z.infer<typeof shape>;
type Output = z.infer<typeof output>;

/** The command, knowing the built-in data collectors and `loaded`. */
export function collectDataFromExploratory(
  loaded: readonly AnyCollector[] = [],
): WorkerCommand<Config, Output> {
  const config = shape.superRefine((value, context) => {
    const collector = find(value.data_collector_type, loaded);
    if (collector instanceof InputError) {
      const message = `${collector.message}. ${collector.hint ?? ''}`.trim();
      context.addIssue({ code: 'custom', path: ['data_collector_type'], message });
      return;
    }
    const checked = collector.config.safeParse(value.data_collector_config);
    if (checked.success) return;
    for (const { path, message } of zodIssues(checked.error)) {
      context.addIssue({
        code: 'custom',
        path: ['data_collector_config', path].filter((part) => part !== ''),
        message,
      });
    }
  });
  return {
    type: defineCommandType<Config, Output>({
      type: 'COLLECT_DATA_FROM_EXPLORATORY',
      summary: 'Runs a data collector against a clone, the replica or the primary, and archives the result.',
      place: ({ target }) => (target === 'primary' ? 'primary' : 'exploratory'),
      config,
      output,
      // The collector has a limit of its own, which it reports better.
      defaultTimeoutMs: (value) => collectorLimitMs(value, loaded) + 5 * 60_000,
      onWorkerLost: 'retry',
      references: ({ target, capture }) => [
        ...(servers.includes(target) ? [] : [{ path: 'target', command: target, types: [launchType] }]),
        ...(capture === undefined ? [] : captureReference('capture', capture)),
      ],
    }),
    run: (value, context) => collect(value, context, collectorNamed(value.data_collector_type, loaded)),
  };
}

async function collect(config: Config, context: CommandContext, collector: AnyCollector): Promise<Output> {
  const { url, role } = await serverOf(config.target, context);
  const capture =
    config.capture === undefined
      ? undefined
      : await context.artifacts.get(captureArtifact(config.capture, context));
  const folder = inside(context.root, 'collections', sha256(context.key).slice(0, 20));
  await rm(folder, { recursive: true, force: true });
  try {
    const { file, manifest, rows } = await runCollector(collector, {
      url,
      role,
      config: config.data_collector_config,
      outDirectory: folder,
      signal: context.signal,
      progress: context.progress,
      log: context.log,
      ...(capture && { captureFile: capture.path }),
    });
    const artifact = await context.artifacts.put(file, {
      kind: 'collection',
      name: `${collector.type.toLowerCase()}.json`,
      format: 'json',
      rows,
      manifest: { ...manifest, target: config.target },
    });
    const { seconds, warnings } = manifest;
    return {
      artifact: artifact.id,
      collector: collector.type,
      target: config.target,
      rows,
      seconds,
      warnings,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function serverOf(
  target: string,
  context: CommandContext,
): Promise<{ url: string; role: CollectorRole }> {
  if (target === 'primary' || target === 'replica') return { url: targetUrl(target, context), role: target };
  if (target !== 'exploratory') return { url: (await cloneOf(context, target)).url, role: 'clone' };
  const names = context.clones.map(({ command }) => command);
  const [only] = names;
  if (only === undefined || names.length > 1) {
    const finding = only === undefined ? 'this run has no clone' : `this run has ${names.length} clones`;
    throw new InputError(`target "exploratory" means the only clone, and ${finding}`, {
      code: 'WHICH_CLONE',
      hint:
        only === undefined
          ? `Put a ${launchType} command before this one.`
          : `Name one: ${names.join(', ')}.`,
    });
  }
  return { url: (await cloneOf(context, only)).url, role: 'clone' };
}

function targetUrl(server: 'primary' | 'replica', { target }: CommandContext): string {
  if (!target) {
    throw new OttoError('NO_TARGET', `"${server}" is of the run's target, and this run has none`, {
      hint: 'Submit the DAG with a target.',
    });
  }
  if (server === 'primary') return target.primaryUrl;
  if (target.replicaUrl === undefined) {
    throw new OttoError('NO_REPLICA', `target ${target.name} has no replica`, {
      hint: 'Give the target a replica, or collect from "primary" or a clone.',
    });
  }
  return target.replicaUrl;
}

function find(type: string, loaded: readonly AnyCollector[]): AnyCollector | InputError {
  try {
    return collectorNamed(type, loaded);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

function collectorLimitMs(config: Config, loaded: readonly AnyCollector[]): number {
  const collector = find(config.data_collector_type, loaded);
  if (collector instanceof InputError) return 0;
  const limit = collector.defaultTimeoutMs ?? 10 * 60_000;
  return typeof limit === 'number' ? limit : limit(collector.config.parse(config.data_collector_config));
}
