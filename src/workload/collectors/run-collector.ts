import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  InputError,
  OttoError,
  type ProgressSink,
  parseInput,
  writeJson,
  zodIssues,
} from '../../base/index.js';
import { describeServer, parseUrl, withConnection } from '../../postgres/index.js';
import type { CollectorContext, CollectorManifest, CollectorRole, DataCollector } from './collector.js';

export interface CollectRequest {
  url: string;
  role: CollectorRole;
  /** Not yet validated. Keys that the collector does not know are ignored. */
  config?: unknown;
  /** Made when missing. */
  outDirectory: string;
  signal?: AbortSignal;
  progress?: ProgressSink;
  log?(level: 'info' | 'warn' | 'error', message: string): void;
  captureFile?: string;
  /** Limit of set-up and collection together; absent: the collector's own. */
  timeoutMs?: number;
  /** Limit of the clean-up; default 60 000. */
  cleanupTimeoutMs?: number;
  /** How long a collector that was told to stop may take before it is cleaned up regardless; default 5 000. */
  graceMs?: number;
}

export interface Collected<Result> {
  result: Result;
  rows: number;
  manifest: CollectorManifest;
  /** The result as JSON, written so that a reader sees all of it or nothing. */
  file: string;
}

/**
 * Runs a collector: validates its config, sets it up, collects, validates and writes the result, and cleans up in
 * every ending. An error in cleaning up after another error is told with it, and does not take its place.
 *
 * Rejects with InputError for a bad config, COLLECTOR_ROLE where the collector may not be used on such a server,
 * COLLECTOR_TIMEOUT, COLLECTOR_RESULT_INVALID when the result does not fit the collector's own schema,
 * COLLECTOR_CLEANUP_FAILED when only the clean-up failed, CANCELLED, and with whatever the collector throws.
 */
export async function runCollector<Config, Result, State>(
  collector: DataCollector<Config, Result, State>,
  request: CollectRequest,
): Promise<Collected<Result>> {
  const { role } = request;
  const config = parseInput(collector.config, request.config ?? {}, `${collector.type} config`);
  if (collector.roles && !collector.roles.includes(role)) {
    throw new InputError(`${collector.type} may not be used on a ${role}`, {
      code: 'COLLECTOR_ROLE',
      hint: `It may be used on: ${collector.roles.join(', ')}.`,
    });
  }
  const timeoutMs = request.timeoutMs ?? valueFor(collector.defaultTimeoutMs, config) ?? 600_000;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = request.signal ? AbortSignal.any([request.signal, timeout]) : timeout;

  const warnings: string[] = [];
  const context: CollectorContext<Config> = {
    url: request.url,
    role,
    config,
    outDirectory: request.outDirectory,
    signal,
    progress: request.progress ?? (() => {}),
    log: (level, message) => {
      if (level !== 'info') warnings.push(message);
      request.log?.(level, message);
    },
    ...(request.captureFile !== undefined && { captureFile: request.captureFile }),
  };

  const startedAt = new Date();
  const started = performance.now();
  const result = await collectAndCleanUp(collector, context, {
    cleanupMs: request.cleanupTimeoutMs ?? 60_000,
    graceMs: request.graceMs ?? 5_000,
  }).catch((error: unknown) => {
    if (request.signal?.aborted) throw cancelled(collector.type, request.signal.reason, error);
    if (timeout.aborted) throw timedOut(collector.type, timeoutMs, error);
    throw error;
  });

  const checked = collector.result.safeParse(result);
  if (!checked.success) {
    throw new OttoError(
      'COLLECTOR_RESULT_INVALID',
      `${collector.type}: its result does not fit its own schema`,
      {
        issues: zodIssues(checked.error),
        hint: 'This is a defect of the collector.',
      },
    );
  }
  const rows = collector.rows?.(checked.data) ?? (Array.isArray(checked.data) ? checked.data.length : 1);
  const file = join(request.outDirectory, `${collector.type.toLowerCase()}.json`);
  await writeJson(file, checked.data);
  const manifest: CollectorManifest = {
    schemaVersion: 1,
    collector: collector.type,
    role,
    server: await describe(request, warnings),
    config,
    startedAt: startedAt.toISOString(),
    endedAt: new Date().toISOString(),
    seconds: (performance.now() - started) / 1000,
    rows,
    holdsUserData: valueFor(collector.holdsUserData, config) ?? true,
    warnings,
  };
  return { result: checked.data, rows, manifest, file };
}

async function collectAndCleanUp<Config, Result, State>(
  collector: DataCollector<Config, Result, State>,
  context: CollectorContext<Config>,
  { cleanupMs, graceMs }: { cleanupMs: number; graceMs: number },
): Promise<Result> {
  let state: State | undefined;
  let outcome: { result: Result } | { error: unknown };
  try {
    context.signal.throwIfAborted();
    state = await untilAborted(collector.setup(context), context.signal, graceMs, (late) => {
      state = late;
    });
    outcome = { result: await untilAborted(collector.collect(context, state), context.signal, graceMs) };
  } catch (error) {
    outcome = { error };
  }
  const signal = AbortSignal.timeout(cleanupMs);
  try {
    await untilAborted(collector.cleanup({ ...context, signal }, state), signal, graceMs);
  } catch (error) {
    const failed = `${collector.type}: cleaning up failed: ${OttoError.from(error).message}`;
    if ('error' in outcome) {
      const original = OttoError.from(outcome.error);
      context.log('error', failed);
      throw new OttoError(original.code, `${original.message} (and ${failed})`, {
        hint: original.hint,
        where: original.where,
        issues: original.issues,
        transient: original.transient,
        cause: new AggregateError([outcome.error, error], failed),
      });
    }
    throw new OttoError('COLLECTOR_CLEANUP_FAILED', failed, {
      hint: 'The result was collected, but something may be left behind on the server or on disk.',
      cause: error,
    });
  }
  if ('error' in outcome) throw outcome.error;
  return outcome.result;
}

/** The promise's value, or an error soon after the abort even when the collector does not heed the signal. */
async function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  graceMs: number,
  late?: (value: T) => void,
): Promise<T> {
  const settled = new AbortController();
  const patience = (async (): Promise<never> => {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true, signal: settled.signal });
      settled.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await delay(graceMs, undefined, { signal: settled.signal });
    throw signal.reason;
  })();
  patience.catch(() => {});
  try {
    return await Promise.race([work, patience]);
  } finally {
    settled.abort();
    if (late) work.then(late, () => {});
  }
}

async function describe(request: CollectRequest, warnings: string[]): Promise<CollectorManifest['server']> {
  try {
    const { database } = parseUrl(request.url);
    const options = { applicationName: 'otto collect', statementTimeoutMs: 30_000, signal: request.signal };
    const { version, major, isStandby } = await withConnection(request.url, options, describeServer);
    return { version, major, isStandby, database };
  } catch (error) {
    warnings.push(`the server could not be described: ${OttoError.from(error).message}`);
    return null;
  }
}

function valueFor<Config, T>(value: T | ((config: Config) => T) | undefined, config: Config): T | undefined {
  return typeof value === 'function' ? (value as (config: Config) => T)(config) : value;
}

function cancelled(type: string, reason: unknown, error: unknown): OttoError {
  const note = reason instanceof OttoError ? reason.message : 'cancelled';
  const code = reason instanceof OttoError ? reason.code : 'CANCELLED';
  return new OttoError(code, `${type}: ${note}${cleanupNote(error)}`, { cause: error });
}

function timedOut(type: string, timeoutMs: number, error: unknown): OttoError {
  return new OttoError(
    'COLLECTOR_TIMEOUT',
    `${type}: not done within ${timeoutMs / 1000} s${cleanupNote(error)}`,
    {
      hint: 'Give the command a longer timeout.',
      cause: error,
    },
  );
}

/** The part about the clean-up of an error that another one replaces. */
function cleanupNote(error: unknown): string {
  return error instanceof Error && error.cause instanceof AggregateError
    ? ` (and ${error.cause.message})`
    : '';
}
