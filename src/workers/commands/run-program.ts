import { mkdir } from 'node:fs/promises';
import { execa } from 'execa';
import { z } from 'zod';
import { inside, OttoError, parseDuration, sha256 } from '../../base/index.js';
import { defineCommandType } from '../../dag/index.js';
import type { CommandContext, WorkerCommand } from '../command.js';
import { duration } from './schemas.js';

const keptBytes = 64 * 1024;
const killAfterMs = 5000;
const defaultTimeoutMs = 10 * 60_000;

const config = z.strictObject({
  argv: z.array(z.string()).min(1).describe('Program and arguments; no shell'),
  worker: z.enum(['primary', 'exploratory']).default('exploratory'),
  timeout: duration.optional(),
  accept_exit_codes: z.array(z.number().int()).min(1).default([0]).describe('Any other fails the command'),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).optional(),
});
const output = z.object({
  exit_code: z.number().int(),
  stdout: z.string(),
  stderr: z.string(),
  truncated: z.boolean().describe('Only the last 64 KiB of a stream are kept'),
});

type Config = z.infer<typeof config>;
type Output = z.infer<typeof output>;

export const runProgram: WorkerCommand<Config, Output> = {
  type: defineCommandType<Config, Output>({
    type: 'COMMAND',
    summary: 'Runs a program at a worker that was started to allow it.',
    place: ({ worker }) => worker,
    config,
    output,
    defaultTimeoutMs: ({ timeout }) =>
      timeout === undefined ? defaultTimeoutMs : parseDuration(timeout) + killAfterMs,
    onWorkerLost: 'fail',
  }),
  run,
};

async function run(config: Config, context: CommandContext): Promise<Output> {
  const [program, ...args] = config.argv as [string, ...string[]];
  assertAllowed(program, context.allowCommand);
  const cwd = inside(context.root, 'commands', sha256(context.key).slice(0, 20));
  await mkdir(cwd, { recursive: true });
  const timeout = AbortSignal.timeout(
    config.timeout === undefined ? 2 ** 31 - 1 : parseDuration(config.timeout),
  );
  const child = execa(program, args, {
    cwd,
    // Nothing of the worker's own environment: its token may be there.
    extendEnv: false,
    env: { PATH: process.env.PATH ?? '', LANG: process.env.LANG ?? 'C', HOME: cwd, ...config.env },
    // A process group of its own, so that what it starts ends with it.
    detached: true,
    stdin: 'ignore',
    buffer: false,
    reject: false,
  });
  const stdout = tail(child.stdout);
  const stderr = tail(child.stderr);
  const kill = killer(child.pid);
  const signals = AbortSignal.any([context.signal, timeout]);
  signals.addEventListener('abort', kill.start, { once: true });
  if (signals.aborted) kill.start();
  try {
    const result = await child;
    if (result.exitCode === undefined && result.signal === undefined) {
      throw new OttoError('PROGRAM_NOT_STARTED', `${program}: ${result.shortMessage}`, { cause: result });
    }
    context.signal.throwIfAborted();
    if (timeout.aborted) throw new OttoError('TIMED_OUT', `${program} did not end within ${config.timeout}`);
    const ended = { stdout: stdout.text(), stderr: stderr.text(), truncated: stdout.cut || stderr.cut };
    const { exitCode } = result;
    if (exitCode !== undefined && config.accept_exit_codes.includes(exitCode))
      return { exit_code: exitCode, ...ended };
    const how = result.signal ? `was ended by ${result.signal}` : `ended with status ${exitCode}`;
    const said = (ended.stderr || ended.stdout).trim().slice(-1000);
    throw new OttoError('PROGRAM_FAILED', `${program} ${how}${said === '' ? '' : `: ${said}`}`);
  } finally {
    signals.removeEventListener('abort', kill.start);
    kill.finish();
  }
}

function assertAllowed(program: string, allowed: CommandContext['allowCommand']): void {
  if (allowed === true) return;
  if (!allowed || allowed.length === 0) {
    throw new OttoError('COMMAND_NOT_ALLOWED', 'this worker runs no programs: COMMAND is off', {
      hint: 'Start the worker with --allow-command if DAGs may run programs at its host.',
    });
  }
  // A path is compared as it stands: /tmp/psql is not the psql that was allowed.
  if (!allowed.includes(program)) {
    throw new OttoError('COMMAND_NOT_ALLOWED', `this worker does not run ${program}`, {
      hint: `Allowed here: ${allowed.join(', ')}.`,
    });
  }
}

/** Ends the whole group: asks first, insists later. */
function killer(pid: number | undefined): { start: () => void; finish: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const signal = (name: NodeJS.Signals): void => {
    try {
      if (pid !== undefined) process.kill(-pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  return {
    start: () => {
      signal('SIGTERM');
      timer = setTimeout(() => signal('SIGKILL'), killAfterMs);
    },
    finish: () => {
      clearTimeout(timer);
      // What the program left running in its group.
      signal('SIGKILL');
    },
  };
}

/** The last bytes of a stream. */
function tail(stream: NodeJS.ReadableStream | null): { text: () => string; readonly cut: boolean } {
  let kept = Buffer.alloc(0);
  let cut = false;
  stream?.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]);
    if (kept.length > keptBytes) {
      kept = kept.subarray(kept.length - keptBytes);
      cut = true;
    }
  });
  return {
    text: () => kept.toString('utf8'),
    get cut() {
      return cut;
    },
  };
}
