import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newId, OttoError, silentLogger, systemClock } from '../../base/index.js';
import { startTestPostgres, type TestPostgres } from '../../postgres/testing/index.js';
import { type Database, json, Listener, migrate, openDatabase, openPool } from '../../store/index.js';
import { CommandTypes, defineCommandType } from '../command-type.js';
import { validateDag } from '../validate.js';
import type { AttemptSpec, Dispatcher } from './dispatcher.js';
import { DagEngine } from './engine.js';

/** Starts and ends of commands, in the order in which they happened. */
let history: string[] = [];
const open = new Map<string, () => void>();
let failures = new Map<string, number>();

const echo = defineCommandType({
  type: 'ECHO',
  summary: 'Returns its config.',
  place: 'control',
  config: z.strictObject({
    value: z.unknown().optional(),
    fail: z.number().default(0),
    hold: z.boolean().default(false),
  }),
  output: z.object({ value: z.unknown(), attempt: z.number() }),
  defaultTimeoutMs: 60_000,
  onWorkerLost: 'retry',
});
const liar = defineCommandType({ ...echo, type: 'LIAR', output: z.object({ truth: z.string() }) });
const types = new CommandTypes([echo, liar]);

const dispatcher: Dispatcher = {
  place: () => Promise.resolve({ wait: 'there are no workers in this test' }),
  async carryOut(spec: AttemptSpec, { signal, log }) {
    const config = spec.config as { value?: unknown; fail: number; hold: boolean };
    const { name } = spec.command;
    history.push(`+${name}`);
    log(`carrying out ${name}`);
    const before = failures.get(name) ?? 0;
    failures.set(name, before + 1);
    if (before < config.fail) throw new OttoError('NOT_YET', `failure ${before + 1} of ${config.fail}`);
    if (config.hold) {
      await new Promise<void>((resolve, reject) => {
        open.set(name, resolve);
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    }
    history.push(`-${name}`);
    return { value: config.value ?? null, attempt: spec.number };
  },
  beforeRetry: () => Promise.resolve(),
  isAlive: () => Promise.resolve(true),
  finalise: () => Promise.resolve([]),
};

let server: TestPostgres;
let pool: ReturnType<typeof openPool>;
let db: Database;
let listener: Listener;
let engine: DagEngine;

beforeAll(async () => {
  server = await startTestPostgres();
  pool = openPool(server.url);
  await migrate(pool);
  db = openDatabase(pool);
  listener = new Listener(server.url);
  await listener.open();
  const owner = newId('cp');
  engine = new DagEngine({
    db,
    databaseUrl: server.url,
    listener,
    types,
    dispatcher,
    owner,
    clock: systemClock,
    logger: silentLogger,
  });
  await engine.launch();
});

afterAll(async () => {
  await engine?.stop();
  await listener?.close();
  await db?.destroy();
  await server?.stop();
});

interface Spec {
  name: string;
  parents?: string[];
  config?: Record<string, unknown>;
  [key: string]: unknown;
}

async function submit(commands: Spec[], envelope: Record<string, unknown> = {}): Promise<string> {
  const document = {
    name: 'test',
    ...envelope,
    commands: commands.map(({ name, parents = [], type = 'ECHO', config = {}, ...rest }) => ({
      command_name: name,
      command_type: type,
      parent_command_names: parents,
      config,
      ...rest,
    })),
  };
  const { dag, issues } = validateDag(document, types);
  expect(issues).toEqual([]);
  const id = newId('run');
  await db
    .insertInto('runs')
    .values({
      id,
      name: 'test',
      dag: json(dag),
      document: json(document),
      parameters: json(Object.fromEntries(dag!.parameters.map((each) => [each.name, each.default]))),
      created_by: 'test',
      deadline_at: dag!.timeoutMs === undefined ? null : new Date(Date.now() + dag!.timeoutMs),
    })
    .execute();
  await db
    .insertInto('commands')
    .values(
      dag!.commands.map((command, ordinal) => ({
        run_id: id,
        name: command.name,
        ordinal,
        type: command.type,
        parents: command.parents,
        cleanup: command.cleanup,
      })),
    )
    .execute();
  history = [];
  failures = new Map();
  await engine.start(id, 0);
  return id;
}

async function ended(id: string) {
  return await eventually(async () => {
    const run = await db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    return run.ended_at ? run : undefined;
  });
}

async function states(id: string): Promise<Record<string, string>> {
  const rows = await db.selectFrom('commands').selectAll().where('run_id', '=', id).execute();
  return Object.fromEntries(rows.map((row) => [row.name, row.state]));
}

async function eventually<T>(probe: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const began = performance.now(); performance.now() - began < 30_000; ) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`did not happen within 30 s; so far: ${history.join(' ')}`);
}

describe('a run', () => {
  it('releases children when all parents have ended, and binds outputs into configs', async () => {
    const id = await submit([
      { name: 'a', config: { value: 41 } },
      { name: 'b', config: { value: { x: 'y' } } },
      {
        name: 'c',
        parents: ['a', 'b'],
        // biome-ignore lint/suspicious/noTemplateCurlyInString: bindings
        config: { value: '${{ commands.a.output.value }} and ${{ commands.b.output.value.x }}' },
      },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: bindings
      { name: 'd', parents: ['c'], config: { value: '${{ commands.a.output.value + 1 }}' } },
    ]);
    expect((await ended(id)).state).toBe('SUCCEEDED');
    const rows = await db
      .selectFrom('commands')
      .selectAll()
      .where('run_id', '=', id)
      .orderBy('ordinal')
      .execute();
    expect(rows.map((row) => (row.output as { value: unknown }).value)).toEqual([
      41,
      { x: 'y' },
      '41 and y',
      42,
    ]);
    expect(history.indexOf('+c')).toBeGreaterThan(history.indexOf('-b'));
    expect(rows.every((row) => row.started_at && row.ended_at && row.ended_at >= row.started_at)).toBe(true);
  });

  it('fails with the command that failed, skips what depends on it, and goes on elsewhere', async () => {
    const id = await submit([
      { name: 'bad', config: { fail: 9 } },
      { name: 'child', parents: ['bad'] },
      { name: 'grandchild', parents: ['child'] },
      { name: 'other' },
      { name: 'after', parents: ['bad', 'other'], when: 'all_done' },
      { name: 'tidy', parents: ['child'], cleanup: true },
    ]);
    const run = await ended(id);
    expect(run.state).toBe('FAILED');
    expect(run.error?.message).toContain('bad');
    expect(await states(id)).toEqual({
      bad: 'FAILED',
      child: 'SKIPPED',
      grandchild: 'SKIPPED',
      other: 'SUCCEEDED',
      after: 'SUCCEEDED',
      tidy: 'SUCCEEDED',
    });
    const bad = await db
      .selectFrom('commands')
      .selectAll()
      .where('run_id', '=', id)
      .where('name', '=', 'bad')
      .executeTakeFirstOrThrow();
    expect(bad.error).toMatchObject({ code: 'NOT_YET', message: 'failure 1 of 9' });
  });

  it('retries with back-off and keeps every attempt', async () => {
    const id = await submit([{ name: 'a', config: { fail: 2 }, retry: { attempts: 3, backoff: '20ms' } }]);
    expect((await ended(id)).state).toBe('SUCCEEDED');
    const attempts = await db
      .selectFrom('attempts')
      .selectAll()
      .where('run_id', '=', id)
      .orderBy('number')
      .execute();
    expect(attempts.map((attempt) => attempt.state)).toEqual(['FAILED', 'FAILED', 'SUCCEEDED']);
  });

  it('ends an attempt at its limit', async () => {
    const id = await submit([
      { name: 'slow', config: { hold: true }, timeout: '100ms' },
      { name: 'next', parents: ['slow'] },
    ]);
    expect((await ended(id)).state).toBe('FAILED');
    expect(await states(id)).toEqual({ slow: 'TIMED_OUT', next: 'SKIPPED' });
  });

  it('ends at its own limit, with its clean-up', async () => {
    const id = await submit(
      [
        { name: 'slow', config: { hold: true } },
        { name: 'tidy', parents: ['slow'], cleanup: true },
      ],
      {
        timeout: '300ms',
      },
    );
    expect((await ended(id)).state).toBe('TIMED_OUT');
    expect((await states(id)).tidy).toBe('SUCCEEDED');
  });

  it('is cancelled: what waits never starts, what runs is stopped, clean-up still runs', async () => {
    const id = await submit([
      { name: 'slow', config: { hold: true } },
      { name: 'next', parents: ['slow'] },
      { name: 'tidy', parents: ['next'], cleanup: true },
    ]);
    await eventually(() => open.has('slow') && history.includes('+slow'));
    await db
      .updateTable('runs')
      .set({ cancel_requested_at: new Date(), cancel_requested_by: 'test' })
      .where('id', '=', id)
      .execute();
    expect((await ended(id)).state).toBe('CANCELLED');
    expect(await states(id)).toEqual({ slow: 'CANCELLED', next: 'CANCELLED', tidy: 'SUCCEEDED' });
  });

  it('judges a condition over the outputs of its parents', async () => {
    const id = await submit([
      { name: 'a', config: { value: 7 } },
      { name: 'big', parents: ['a'], when: 'commands.a.output.value > 5' },
      { name: 'small', parents: ['a'], when: 'commands.a.output.value <= 5' },
    ]);
    expect((await ended(id)).state).toBe('SUCCEEDED');
    expect(await states(id)).toEqual({ a: 'SUCCEEDED', big: 'SUCCEEDED', small: 'SKIPPED' });
  });

  it('fails a command whose output is not of its type', async () => {
    const id = await submit([{ name: 'a', type: 'LIAR' }]);
    expect((await ended(id)).state).toBe('FAILED');
    const row = await db
      .selectFrom('commands')
      .selectAll()
      .where('run_id', '=', id)
      .executeTakeFirstOrThrow();
    expect(row.error?.code).toBe('BAD_OUTPUT');
  });

  it('waits for the concurrency key that another run holds', async () => {
    const first = await submit([{ name: 'holder', config: { hold: true }, concurrency_key: 'the-primary' }]);
    await eventually(() => history.includes('+holder'));
    const letGo = open.get('holder')!;
    const second = await submit([{ name: 'waiter', concurrency_key: 'the-primary' }]);
    const waiting = await eventually(async () => {
      const row = await db
        .selectFrom('commands')
        .selectAll()
        .where('run_id', '=', second)
        .executeTakeFirstOrThrow();
      return row.reason ? row : undefined;
    });
    expect(waiting.state).toBe('READY');
    expect(waiting.reason).toContain('holder');
    letGo();
    expect((await ended(first)).state).toBe('SUCCEEDED');
    expect((await ended(second)).state).toBe('SUCCEEDED');
  });

  it('runs a hundred commands, many runs at once', async () => {
    const fan = Array.from({ length: 24 }, (_, index) => ({
      name: `n${index}`,
      parents: index < 4 ? [] : [`n${index - 4}`],
    }));
    const ids = [];
    for (let index = 0; index < 4; index += 1) ids.push(await submit(fan));
    const runs = await Promise.all(ids.map(ended));
    expect(runs.map((run) => run.state)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    const { count } = await db
      .selectFrom('attempts')
      .select((select) => select.fn.countAll<number>().as('count'))
      .where('run_id', 'in', ids)
      .executeTakeFirstOrThrow();
    expect(count).toBe(96);
  });
});
