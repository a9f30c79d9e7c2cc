import { z } from 'zod';
import { parseDuration } from '../base/index.js';
import type { DagParameter, JsonValue, RetryPolicy } from './dag.js';
import { readFields } from './fields.js';
import type { Findings, Path } from './findings.js';
import { readParameters } from './parameters.js';
import { unwrapBinding } from './template.js';
import { describe } from './zod-sentences.js';

export const maxCommands = 10_000;
const longestTimeoutMs = 30 * 86_400_000;

/** A command as far as it could be read: what is absent here was missing or wrong, and has been reported. */
export interface DraftCommand {
  path: Path;
  name?: string;
  type?: string;
  parents: string[];
  config?: { [key: string]: JsonValue };
  timeoutMs?: number;
  retry: RetryPolicy;
  when: string;
  cleanup: boolean;
  concurrencyKey?: string;
}

export interface DraftDag {
  name: string;
  version: string;
  description?: string;
  target?: string;
  timeoutMs?: number;
  parameters: DagParameter[];
  commands: DraftCommand[];
}

const noRetry: RetryPolicy = { attempts: 1, backoffMs: 1_000, factor: 2, maxBackoffMs: 300_000 };

const object = z.record(z.string(), z.custom<JsonValue>());
const name = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,120}$/, 'expected 1 to 120 letters, digits, "_", "." or "-"');
const durationMs = z.union([z.number(), z.string().max(64)]).transform((value, context) => {
  try {
    const ms = parseDuration(value);
    if (ms > 0 && ms <= longestTimeoutMs) return ms;
  } catch {
    // Said below, in the words of this place.
  }
  context.addIssue({
    code: 'custom',
    message: 'expected a duration of at most 30 days, such as 90 (seconds), "5m" or "1h30m"',
  });
  return z.NEVER;
});

const commandShape = {
  command_type: z.string().min(1).max(200),
  command_name: name,
  parent_command_names: z.array(z.string().max(200)),
  config: object.default({}),
  timeout: durationMs.optional(),
  retry: z
    .strictObject({
      attempts: z.int().min(1).max(100).default(noRetry.attempts),
      backoff: durationMs.default(noRetry.backoffMs),
      factor: z.number().min(1).max(10).default(noRetry.factor),
      max_backoff: durationMs.default(noRetry.maxBackoffMs),
    })
    .optional(),
  when: z.string().max(4096).optional(),
  cleanup: z.boolean().default(false),
  concurrency_key: z.string().min(1).max(200).optional(),
};

const envelopeShape = {
  name: z.string().trim().min(1).max(200),
  version: z
    .union([z.string().max(50), z.number()])
    .transform(String)
    .default('1'),
  description: z.string().max(10_000).optional(),
  target: z.string().min(1).max(200).optional(),
  timeout: durationMs.optional(),
  parameters: object.default({}),
  commands: z.array(z.custom<JsonValue>()),
};

/** Either format as one draft; undefined when there is nothing to go on with. */
export function readDag(document: JsonValue, defaultName: string, found: Findings): DraftDag | undefined {
  if (Array.isArray(document)) {
    return {
      name: defaultName,
      version: '1',
      parameters: [],
      commands: readCommands(document, [], found),
    };
  }
  if (typeof document !== 'object' || document === null) {
    found.add([], `expected a list of commands, or an object with "commands"; found ${describe(document)}`);
    return undefined;
  }
  const fields = readFields(document, [], envelopeShape, found);
  return {
    name: fields.name ?? defaultName,
    version: fields.version ?? '1',
    ...(fields.description !== undefined && { description: fields.description }),
    ...(fields.target !== undefined && { target: fields.target }),
    ...(fields.timeout !== undefined && { timeoutMs: fields.timeout }),
    parameters: readParameters(fields.parameters ?? {}, found),
    commands: readCommands(fields.commands ?? [], ['commands'], found),
  };
}

function readCommands(list: JsonValue[], path: Path, found: Findings): DraftCommand[] {
  if (list.length > maxCommands) {
    found.add(path, `has ${list.length} commands; at most ${maxCommands} are allowed`);
    return [];
  }
  return list.flatMap((value, index) => readCommand(value, [...path, index], found) ?? []);
}

function readCommand(value: JsonValue, path: Path, found: Findings): DraftCommand | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    found.add(
      path,
      `expected a command (an object with command_type and command_name), found ${describe(value)}`,
    );
    return undefined;
  }
  const fields = readFields(value, path, commandShape, found);
  const cleanup = fields.cleanup ?? false;
  const when = unwrapBinding(fields.when ?? (cleanup ? 'all_done' : 'all_succeeded'));
  if (cleanup && when !== 'all_done') {
    found.add([...path, 'when'], 'a clean-up command runs whatever happened: leave `when` out');
  }
  const { attempts, backoff, factor, max_backoff } = fields.retry ?? {};
  return {
    path,
    name: fields.command_name,
    type: fields.command_type,
    parents: fields.parent_command_names ?? [],
    config: fields.config,
    ...(fields.timeout !== undefined && { timeoutMs: fields.timeout }),
    retry: {
      attempts: attempts ?? noRetry.attempts,
      backoffMs: backoff ?? noRetry.backoffMs,
      factor: factor ?? noRetry.factor,
      maxBackoffMs: max_backoff ?? noRetry.maxBackoffMs,
    },
    when: cleanup ? 'all_done' : when,
    cleanup,
    ...(fields.concurrency_key !== undefined && { concurrencyKey: fields.concurrency_key }),
  };
}
