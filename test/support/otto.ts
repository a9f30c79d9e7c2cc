import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import getPort from 'get-port';
import pg from 'pg';
import { eventually } from './eventually.js';
import { kill, processesNaming } from './processes.js';
import { ottoProgram } from './program.js';

const [program, ...programArgs] = ottoProgram;
const worker = /worker (primary|exploratory)/;

export interface OttoOptions {
  data: string;
  /** Kept over restarts, so that workers find the control plane again. Absent: chosen at each start. */
  workerPort?: number;
  env?: Record<string, string>;
}

interface Addresses {
  url: string;
  workerUrl: string;
  tokenFile: string;
  controlPlane: string;
}

/** A real `otto up` in a process of its own. */
export class Otto {
  readonly options: OttoOptions;
  #child: ChildProcess;
  #exited: Promise<void>;
  #addresses!: Addresses;

  private constructor(options: OttoOptions) {
    this.options = options;
    const { data, workerPort = 0, env } = options;
    const log = openSync(join(data, 'up.log'), 'a');
    try {
      const flags = ['--data', data, '--port', '0', '--worker-port', String(workerPort), '--json'];
      this.#child = spawn(program, [...programArgs, 'up', ...flags], {
        stdio: ['ignore', 'pipe', log],
        env: { ...process.env, OTTO_LOG: 'info', ...env },
      });
    } finally {
      closeSync(log);
    }
    this.#exited = new Promise((resolve) => this.#child.once('exit', () => resolve()));
  }

  /** Resolves once it serves. */
  static async start(options: OttoOptions): Promise<Otto> {
    const otto = new Otto(options);
    otto.#addresses = await otto.#said();
    return otto;
  }

  static async freePort(): Promise<number> {
    return await getPort({ host: '127.0.0.1' });
  }

  get id(): string {
    return this.#addresses.controlPlane;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** kill -9 of the control plane's process alone: workers and databases stay. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** As Ctrl-C does. */
  async stop(limitMs = 60_000): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGINT');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), limitMs);
    await this.#exited;
    clearTimeout(timer);
  }

  async api<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
    const token = (await readFile(this.#addresses.tokenFile, 'utf8')).trim();
    const response = await fetch(`${this.#addresses.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as T;
  }

  async #said(): Promise<Addresses> {
    let text = '';
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    return await eventually(
      async () => {
        if (this.#child.exitCode !== null) throw new Error('it ended');
        return JSON.parse(text) as Addresses;
      },
      { what: 'otto up says where it listens', state: () => lastLines(join(this.options.data, 'up.log')) },
    );
  }
}

/** The control plane's own database, looked at from outside, also while no control plane runs. */
export async function rowsOf<T = Record<string, unknown>>(
  data: string,
  text: string,
  parameters: unknown[] = [],
): Promise<T[]> {
  const saved = JSON.parse(await readFile(join(data, 'postgres.json'), 'utf8')) as {
    port: number;
    password: string;
  };
  const client = new pg.Client({
    host: '127.0.0.1',
    port: saved.port,
    user: 'postgres',
    password: saved.password,
    database: 'ottopilot',
    options: '-c search_path=otto',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => {
    // The server was killed under it: the query says so.
  });
  await client.connect();
  try {
    return (await client.query(text, parameters)).rows as T[];
  } finally {
    await client.end().catch(() => {});
  }
}

/** Processes of workers below this data folder. */
export async function workerPids(data: string, kind?: 'primary' | 'exploratory'): Promise<number[]> {
  const found = await processesNaming(data);
  return found
    .filter(({ args }) => (kind ? args.includes(`worker ${kind}`) : worker.test(args)))
    .map(({ pid }) => pid);
}

/** The postmaster of the control plane's own database. */
export async function databasePid(data: string): Promise<number> {
  const text = await readFile(join(data, 'postgres', 'postmaster.pid'), 'utf8');
  return Number(text.split('\n')[0]);
}

/** Ends every process that names the folder: for the end of a test that failed. */
export async function endAll(folder: string): Promise<void> {
  await eventually(
    async () => {
      const left = await processesNaming(folder);
      for (const { pid } of left) kill(pid);
      return left.length === 0;
    },
    { what: `no process names ${folder}`, limitMs: 20_000, everyMs: 100 },
  );
}

export async function lastLines(file: string, count = 25): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '(no log)');
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
