import { setTimeout as delay } from 'node:timers/promises';
import { formatBytes, formatProgress, OttoError } from '../base/index.js';
import type { ApiClient } from './api-client.js';
import type { EventView, RunDetail, RunLight } from './api-types.js';
import { type Output, printable } from './output.js';

const endStates: readonly string[] = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT'];
const longestPauseMs = 10_000;
/** Tries without a single event before it is given up. */
const mostFailures = 20;

/**
 * Prints a run as it happens, until it has ended. A broken connection is taken up where it broke. Rejects when the run
 * did not succeed, so that the exit status says it.
 */
export async function followRun(api: ApiClient, id: string, out: Output, signal: AbortSignal): Promise<void> {
  try {
    await untilEnd(api, id, out, signal);
  } catch (error) {
    if (signal.aborted) out.note(`the run goes on: otto dag status ${id} --follow, or otto dag cancel ${id}`);
    throw error;
  }
  const run = await api.get<RunDetail>(`/runs/${encodeURIComponent(id)}`);
  out.item({ type: 'end', run }, () => printRun(run, out), { last: true });
  failUnlessSucceeded(run);
}

/** Throws for a run that has ended otherwise than it should. */
export function failUnlessSucceeded(run: RunDetail): void {
  if (run.state === 'SUCCEEDED' || !endStates.includes(run.state)) return;
  const why = run.error ? `: ${run.error.message}` : '';
  throw new OttoError(`RUN_${run.state}`, `run ${run.id} ended ${run.state}${why}`, {
    ...(run.state === 'FAILED' && { hint: `Go on from there with: otto dag resume ${run.id}` }),
  });
}

async function untilEnd(api: ApiClient, id: string, out: Output, signal: AbortSignal): Promise<void> {
  const progress = new ProgressLine(out);
  let lastEventId: string | undefined;
  let failures = 0;
  try {
    for (;;) {
      try {
        const path = `/runs/${encodeURIComponent(id)}/stream`;
        const options = { signal, ...(lastEventId !== undefined && { lastEventId }) };
        for await (const message of api.events(path, options)) {
          failures = 0;
          if (message.id !== undefined) lastEventId = message.id;
          if (message.event === 'event') {
            const event = JSON.parse(message.data) as EventView;
            progress.clear();
            out.item({ type: 'event', event }, () => printEvent(event, out));
          } else if (message.event === 'state') {
            const state = JSON.parse(message.data) as RunLight;
            if (endStates.includes(state.state)) return;
            progress.show(state);
          }
        }
      } catch (error) {
        failures += 1;
        if (signal.aborted || !(error instanceof OttoError) || !error.transient || failures > mostFailures)
          throw error;
        progress.clear();
        if (failures === 1) out.note(`${error.message}; trying again`);
      }
      await delay(Math.min(longestPauseMs, 250 * 2 ** failures), undefined, { signal });
    }
  } finally {
    progress.clear();
  }
}

/** One line at the bottom of a terminal; nothing where there is none. */
class ProgressLine {
  readonly #out: Output;
  readonly #on: boolean;
  #shown = false;

  constructor(out: Output) {
    this.#out = out;
    this.#on = !out.json && process.stderr.isTTY === true;
  }

  show(run: RunLight): void {
    if (!this.#on) return;
    const running = run.commands.filter(({ state }) => state === 'RUNNING');
    if (running.length === 0) {
      this.clear();
      return;
    }
    const parts = running.map(({ name, progress }) => {
      const amount = progress?.unit === 'bytes' ? formatBytes : String;
      return progress ? `${name}: ${formatProgress(progress, amount)}` : name;
    });
    const width = process.stderr.columns || 80;
    process.stderr.write(
      `\r\u001b[K${this.#out.colors.dim(printable(parts.join('  ')).slice(0, width - 1))}`,
    );
    this.#shown = true;
  }

  clear(): void {
    if (this.#shown) process.stderr.write('\r\u001b[K');
    this.#shown = false;
  }
}

function printEvent(event: EventView, out: Output): void {
  const { dim, red, yellow } = out.colors;
  const paint = event.level === 'error' ? red : event.level === 'warn' ? yellow : String;
  const at = new Date(event.at).toTimeString().slice(0, 8);
  const name = event.command === undefined ? '' : `${printable(event.command)}  `;
  out.line(`${dim(at)}  ${name}${paint(printable(event.message))}`);
}

/** A run with its commands. */
export function printRun(run: RunDetail, out: Output): void {
  out.facts([
    ['run', run.id],
    ['name', run.name],
    [
      'state',
      `${run.state}${run.cancelRequested && !endStates.includes(run.state) ? ' (being cancelled)' : ''}`,
    ],
    ['target', run.targetName],
    ['by', run.createdBy],
    ['error', run.error?.message],
  ]);
  out.line();
  out.table(
    ['command', 'type', 'state', 'tries', 'seconds', ''],
    run.commands.map((command) => [
      command.name,
      command.type,
      command.state,
      `${command.attempt}/${command.maxAttempts}`,
      command.seconds === undefined ? '' : command.seconds.toFixed(1),
      command.error?.message ?? command.reason ?? (command.progress ? formatProgress(command.progress) : ''),
    ]),
  );
}
