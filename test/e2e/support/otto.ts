import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa, type ResultPromise } from 'execa';
import { ottoProgram } from '../../support/program.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export { ottoProgram };

export interface CliResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  env?: Record<string, string>;
  input?: string;
  cwd?: string;
  limitMs?: number;
}

/** Runs `otto` as a user would and waits for its end. */
export async function runOtto(args: string[], options: CliOptions = {}): Promise<CliResult> {
  const result = await spawnOtto(args, options);
  if (result.exitCode === undefined)
    throw new Error(`otto ${args.join(' ')}: ${result.shortMessage}\n${result.stderr}`);
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

/** The same, without waiting. */
export function spawnOtto(args: string[], options: CliOptions = {}) {
  return execa(ottoProgram[0], [...ottoProgram.slice(1), ...args], {
    cwd: options.cwd ?? root,
    env: { NO_COLOR: '1', ...options.env },
    reject: false,
    // Draining takes its time, and a process that is killed in the midst of it has not been tested.
    forceKillAfterDelay: false,
    timeout: options.limitMs ?? 120_000,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  });
}

export type OttoProcess = ReturnType<typeof spawnOtto>;

/** A control plane: `otto up` as a process, with what a test asks of it. */
export interface Otto {
  url: string;
  workerUrl: string;
  data: string;
  adminToken: string;
  process: ResultPromise;
  /** Runs `otto` against it. */
  cli(args: string[], options?: CliOptions): Promise<CliResult>;
  /** The same with --json; throws where it failed or wrote anything but one document. */
  json<T>(args: string[], options?: CliOptions): Promise<T>;
  stop(): Promise<void>;
}

/** Starts `otto up` on free ports with an embedded database below `data`. */
export async function startOtto(data: string, flags: string[] = [], options: CliOptions = {}): Promise<Otto> {
  const child = spawnOtto(['up', '--data', data, '--port', '0', '--worker-port', '0', '--json', ...flags], {
    ...options,
    limitMs: 600_000,
  });
  const facts = await firstDocument(child);
  const adminToken = (await readFile(join(data, 'admin.token'), 'utf8')).trim();
  const cli = (args: string[], given: CliOptions = {}) =>
    runOtto(args, { ...given, env: { OTTO_DATA: data, ...given.env } });
  return {
    ...facts,
    data,
    adminToken,
    process: child as unknown as ResultPromise,
    cli,
    async json<T>(args: string[], given?: CliOptions) {
      const result = await cli([...args, '--json'], given);
      if (result.exitCode !== 0)
        throw new Error(`otto ${args.join(' ')} ended with ${result.exitCode}: ${result.stderr}`);
      return JSON.parse(result.stdout) as T;
    },
    async stop() {
      child.kill('SIGTERM');
      await child;
    },
  };
}

/** The facts that `otto up --json` prints once it serves. */
async function firstDocument(child: OttoProcess): Promise<{ url: string; workerUrl: string }> {
  let text = '';
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-20_000);
    if (process.env.OTTO_E2E_LOG) appendFileSync(process.env.OTTO_E2E_LOG, chunk);
  });
  return await new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.trimEnd().endsWith('}')) resolve(JSON.parse(text));
    });
    void child.then((result) => reject(new Error(`otto up ended with ${result.exitCode}: ${log}`)));
  });
}

/** Looks until there is something; `what` is what the wait was for. */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  limitMs = 60_000,
): Promise<T> {
  const until = performance.now() + limitMs;
  let last: unknown;
  do {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await delay(100);
  } while (performance.now() < until);
  throw new Error(`waited ${limitMs} ms in vain: ${what}`, { cause: last });
}
