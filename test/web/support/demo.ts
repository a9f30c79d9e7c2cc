import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '../../support/eventually.js';
import { kill, processesNaming } from '../../support/processes.js';
import { ottoProgram } from '../../support/program.js';

const [program, ...programArgs] = ottoProgram;

export interface Items<T> {
  items: T[];
}
export interface Run {
  id: string;
  state: string;
  parameters: Record<string, unknown>;
  rerunOf?: string;
  commands: { name: string; state: string; attempt: number; output?: Record<string, unknown> }[];
}
export interface Artifact {
  id: string;
  name: string;
  kind: string;
  rows?: number;
  sha256: string;
  runId: string;
}
export interface Capture {
  manifest: { counts: Record<string, number>; lost: { what: string; count: number }[]; seconds: number };
  series: { t: number[]; count: number[] };
  templates: { fingerprint: string; sql: string; calls: number }[];
}
export interface Change {
  setting: string;
  state: string;
  runId: string;
}

/** A real `otto demo` in a process of its own, which serves the pages as users get them. */
export class Demo {
  /** Everything of it lies here, and every process of it names this folder. */
  readonly folder: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #said = '';
  #url = '';

  private constructor(folder: string, seconds: number) {
    this.folder = folder;
    const flags = ['--data', join(folder, 'data'), '--port', '0', '--seconds', String(seconds)];
    this.#child = spawn(program, [...programArgs, 'demo', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.on('data', (chunk: Buffer) => {
        this.#said += chunk.toString();
      });
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve));
  }

  /** Resolves as soon as the pages are served: the demo's run has not begun by then. */
  static async start(seconds: number): Promise<Demo> {
    await pagesAreBuilt();
    const folder = await mkdtemp(join(tmpdir(), 'otto-web-demo-'));
    // PostgreSQL runs under another account where the tests run as root.
    await chmod(folder, 0o755);
    const demo = new Demo(folder, seconds);
    demo.#url = await eventually(() => /web UI: (http\S+)/.exec(demo.#said)?.[1], {
      what: 'the demo says where its pages are',
      state: () => demo.#said,
    });
    return demo;
  }

  get url(): string {
    return this.#url;
  }

  async get<T = Record<string, unknown>>(path: string): Promise<T> {
    const response = await fetch(`${this.url}/api/v1${path}`);
    const text = await response.text();
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** As Ctrl-C does: its exit status, and the processes that it left behind. */
  async interrupt(): Promise<{ status: number | null; left: string[]; said: string }> {
    this.#child.kill('SIGINT');
    const status = await this.#exited;
    const left = (await processesNaming(this.folder)).map(({ args }) => args);
    return { status, left, said: this.#said };
  }

  /** For the end, also of a test that failed. */
  async remove(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGINT');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), 45_000);
      await this.#exited;
      clearTimeout(timer);
    }
    await eventually(
      async () => {
        const left = await processesNaming(this.folder);
        for (const { pid } of left) kill(pid);
        return left.length === 0;
      },
      { what: `no process names ${this.folder}`, limitMs: 20_000 },
    );
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The demo serves dist/web. `npm test` has just built it; otherwise it may be missing or older than its sources. */
async function pagesAreBuilt(): Promise<void> {
  if (process.env.OTTO_TEST_BUILT === '1') return;
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  // What another server has handed out from the same folder stays.
  const flags = [
    'build',
    'web',
    '--config',
    'web/vite.config.ts',
    '--logLevel',
    'warn',
    '--emptyOutDir',
    'false',
  ];
  // A process of its own: under a test runner React would come with its own checks, and others use this folder.
  await promisify(execFile)(process.execPath, [vite, ...flags], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production' },
  });
}
