import { type ChildProcess, spawn } from 'node:child_process';
import { OttoError } from '../base/index.js';

/** A benchmark that runs in a process of its own until it is stopped, so that it does not share our event loop. */
export class LiveLoad {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #output = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()));
    const keep = (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-2_000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
  }

  static start(options: {
    ottoCommand: readonly string[];
    url: string;
    benchmark: 'tpcc';
    rate: number;
    connections: number;
  }): LiveLoad {
    const [program, ...first] = options.ottoCommand;
    const child = spawn(
      program!,
      [
        ...first,
        'bench',
        'run',
        options.benchmark,
        '--rate',
        String(options.rate),
        '--connections',
        String(options.connections),
        '--time',
        '24h',
        '--json',
      ],
      // The connection string is in the environment, not in argv, where everybody could read it.
      { env: { ...process.env, OTTO_URL: options.url }, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
    );
    return new LiveLoad(child);
  }

  /** @throws OttoError LOAD_STOPPED when it is not running, with the end of what it said. */
  check(): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      throw new OttoError(
        'LOAD_STOPPED',
        `the live load ended by itself: ${this.#output.trim().slice(-500)}`,
      );
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await this.#exited;
    clearTimeout(timer);
  }
}
