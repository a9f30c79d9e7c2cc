import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { withDuckDb } from '../../duckdb/index.js';
import type { Journal, OpenChange } from '../../postgres/index.js';
import { startTestPostgres, type TestPostgres } from '../../postgres/testing/index.js';
import { captureWorkload } from '../capture/capture.js';
import type { CaptureOptions, CaptureResult } from '../capture/types.js';

/** A journal in memory that remembers everything, as the control plane's does. */
export class MemoryJournal implements Journal {
  readonly changes = new Map<string, OpenChange & { state: string; note?: string }>();

  async intend(changes: Omit<OpenChange, 'id'>[]): Promise<OpenChange[]> {
    const open = changes.map((change) => ({ ...change, id: `change_${this.changes.size + Math.random()}` }));
    for (const change of open) this.changes.set(change.id, { ...change, state: 'INTENDED' });
    return open;
  }

  async resolve(id: string, state: 'RESTORED' | 'KEPT_THEIRS', note?: string): Promise<void> {
    const change = this.changes.get(id);
    if (!change) throw new Error(`no change ${id}`);
    this.changes.set(id, { ...change, state, ...(note !== undefined && { note }) });
  }

  get open(): OpenChange[] {
    return [...this.changes.values()].filter(({ state }) => state === 'INTENDED');
  }
}

/** A server that collects its log, as most in production do. */
export function startLoggingServer(
  major: number,
  settings: Record<string, string> = {},
): Promise<TestPostgres> {
  return startTestPostgres({
    major,
    settings: { logging_collector: 'on', log_min_messages: 'warning', ...settings },
  });
}

export async function client(url: string, application = 'shop'): Promise<pg.Client> {
  const one = new pg.Client({ connectionString: url, application_name: application });
  one.on('error', () => {});
  await one.connect();
  return one;
}

export async function asAdmin<T>(url: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = await client(url, 'admin');
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

/**
 * Everything that must be as before: the lines of the file and every effective log setting. The order of the lines is
 * not ours to keep: ALTER SYSTEM writes the line that it changes at the end.
 */
export async function settingsOf(
  server: TestPostgres,
): Promise<{ autoConf: string[]; effective: unknown[] }> {
  const text = await readFile(join(server.instance.dataDirectory, 'postgresql.auto.conf'), 'utf8');
  const effective = await asAdmin(server.url, async (admin) => {
    const { rows } = await admin.query(
      "select name, setting, source from pg_settings where name like 'log%' order by name",
    );
    return rows;
  });
  return { autoConf: text.split('\n').sort(), effective };
}

/**
 * Captures while `drive` runs: begins it when the capture says that it records, and ends the capture with it. The
 * length given is only the limit.
 */
export async function captureWhile(
  server: TestPostgres,
  outDirectory: string,
  drive: () => Promise<void>,
  options: Partial<CaptureOptions> = {},
): Promise<CaptureResult & { journal: MemoryJournal }> {
  const journal = new MemoryJournal();
  let driven: Promise<void> | undefined;
  let over = false;
  // The capture's own clock runs on until the driver has ended: no test waits for longer than it must.
  const jumpAfterMs = 3_600_000;
  const clock = {
    now: () => Date.now(),
    monotonic: () => performance.now() + (over ? jumpAfterMs : 0),
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, Math.min(ms, 20));
        signal?.addEventListener('abort', () => {
          clearTimeout(timer);
          reject(signal.reason);
        });
      }),
  };
  const result = await captureWorkload({
    url: server.url,
    server: 'primary',
    seconds: 600,
    method: 'auto',
    journal,
    outDirectory,
    clock,
    progress: ({ phase }) => {
      if (phase === 'capturing' && !driven) {
        driven = drive().finally(() => {
          over = true;
        });
        driven.catch(() => {});
      }
    },
    ...options,
    limits: { baselineMs: 1, minimumFreeBytes: 1024 * 1024, ...options.limits },
  });
  await driven;
  return { ...result, journal };
}

export interface Found {
  session: string;
  line: number;
  transaction: number;
  kind: string;
  protocol: string;
  statement_name: string | null;
  duration_us: number | null;
  sql: string;
  parameters: (string | null)[] | null;
  outcome: string;
  sqlstate: string | null;
  application: string;
  database: string;
}

/** The archive's rows, in the order of each session. */
export function eventsOf(file: string): Promise<Found[]> {
  return withDuckDb({}, async (db) => {
    const rows = await db.query('select * from read_parquet($1) order by application, session, line', [file]);
    return rows as unknown as Found[];
  });
}
