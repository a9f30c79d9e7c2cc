import { type Selectable, sql } from 'kysely';
import { OttoError } from '../../base/index.js';
import {
  type AttemptRow,
  type CommandRow,
  type Database,
  json,
  type RunRow,
  type RunState,
  type RunsTable,
} from '../../store/index.js';

/** Another control plane has claimed the run since: whoever gets this must stop driving it. */
export class FencedError extends OttoError {
  constructor(runId: string) {
    super('RUN_FENCED', `run ${runId} is driven by another control plane now`);
  }
}

export interface NewEvent {
  kind: 'run' | 'command' | 'log';
  command?: string;
  level?: 'info' | 'warn' | 'error';
  message: string;
  data?: unknown;
}

/** What one round changes, written in one transaction or not at all. */
export interface RoundChanges {
  /** By name: a command that moves twice in a round is written once, as it ends up. */
  commands: Map<string, CommandRow>;
  newAttempts: Pick<
    AttemptRow,
    'id' | 'command' | 'number' | 'worker_id' | 'lease_epoch' | 'input' | 'created_at' | 'deadline_at'
  >[];
  /** Attempts ended from here: timed out beyond their grace, or given up. */
  endedAttempts: { id: string; state: AttemptRow['state']; error: unknown }[];
  cancelAttempts: string[];
  events: NewEvent[];
  releaseLocks: string[];
}

export function noChanges(): RoundChanges {
  return {
    commands: new Map(),
    newAttempts: [],
    endedAttempts: [],
    cancelAttempts: [],
    events: [],
    releaseLocks: [],
  };
}

/** The rows of one run, as its driver reads and writes them. Every write is fenced by the epoch of the claim. */
export class RunRows {
  readonly #db: Database;
  readonly #runId: string;
  #epoch = 0;

  constructor(db: Database, runId: string) {
    this.#db = db;
    this.#runId = runId;
  }

  /** Takes the run over: from here on, writes of an earlier driver are refused. */
  async claim(owner: string): Promise<{ run: RunRow; leftMs: number | null }> {
    const row = await this.#db
      .updateTable('runs')
      .set((eb) => ({
        epoch: eb('epoch', '+', 1),
        owner,
        started_at: sql<Date>`coalesce(started_at, now())`,
        state: sql<RunState>`case when state = 'PENDING' then 'RUNNING' else state end`,
      }))
      .where('id', '=', this.#runId)
      .returningAll()
      // By the clock that wrote it.
      .returning(
        sql<number | null>`(extract(epoch from deadline_at - clock_timestamp()) * 1000)::float8`.as(
          'left_ms',
        ),
      )
      .executeTakeFirst();
    if (!row) throw new OttoError('NO_SUCH_RUN', `there is no run ${this.#runId}`);
    const { left_ms: leftMs, ...run } = row;
    this.#epoch = run.epoch;
    return { run, leftMs };
  }

  async commands(): Promise<CommandRow[]> {
    return await this.#db
      .selectFrom('commands')
      .selectAll()
      .where('run_id', '=', this.#runId)
      .orderBy('ordinal')
      .execute();
  }

  /** Fenced as the writes are: a driver that only waits learns here that it is no longer wanted. */
  async run(): Promise<RunRow> {
    const run = await this.#db
      .selectFrom('runs')
      .selectAll()
      .where('id', '=', this.#runId)
      .executeTakeFirstOrThrow();
    if (run.epoch !== this.#epoch) throw new FencedError(this.#runId);
    return run;
  }

  /** Of these attempts, those that are still open, or those that have ended. */
  async attempts(ids: readonly string[], which: 'ended' | 'open'): Promise<AttemptRow[]> {
    if (ids.length === 0) return [];
    return await this.#db
      .selectFrom('attempts')
      .selectAll()
      // By key: a join over the states would be at the mercy of statistics that a fresh table does not have.
      .where('id', '=', sql<string>`any(${ids})`)
      .where('state', which === 'open' ? 'in' : 'not in', ['ASSIGNED', 'RUNNING'])
      .execute();
  }

  /** Writes a round in one statement, so in one round trip; nothing of it when another driver has claimed the run. */
  async commit(changes: RoundChanges): Promise<void> {
    const run = this.#runId;
    const { rows } = await sql`
      with held as (select id from runs where id = ${run} and epoch = ${this.#epoch} for update),
      moved as (
        update commands c set
          state = x.state, attempt = x.attempt, losses = x.losses, not_before = x.not_before,
          deadline_at = x.deadline_at, input = x.input, output = x.output, error = x.error, reason = x.reason,
          worker_id = x.worker_id, ready_at = x.ready_at, started_at = x.started_at, ended_at = x.ended_at
        from held, jsonb_to_recordset(${json([...changes.commands.values()])}::jsonb) as x(
          name text, state text, attempt int, losses int, not_before timestamptz, deadline_at timestamptz,
          input jsonb, output jsonb, error jsonb, reason text, worker_id text, ready_at timestamptz,
          started_at timestamptz, ended_at timestamptz)
        where c.run_id = ${run} and c.name = x.name),
      given_up as (
        update attempts a set state = x.state, error = x.error, ended_at = now()
        from held, jsonb_to_recordset(${json(changes.endedAttempts)}::jsonb) as x(id text, state text, error jsonb)
        where a.id = x.id and a.state in ('ASSIGNED', 'RUNNING')),
      begun as (
        insert into attempts (id, run_id, command, number, worker_id, lease_epoch, input, created_at, deadline_at)
        select x.id, ${run}, x.command, x.number, x.worker_id, x.lease_epoch, x.input, x.created_at, x.deadline_at
        from held, jsonb_to_recordset(${json(changes.newAttempts)}::jsonb) as x(
          id text, command text, number int, worker_id text, lease_epoch int, input jsonb, created_at timestamptz,
          deadline_at timestamptz)),
      cancelled as (
        update attempts a set cancel_requested_at = now() from held
        where a.id = any(${changes.cancelAttempts}) and not a.id = any(${changes.endedAttempts.map((end) => end.id)})
          and a.cancel_requested_at is null),
      released as (
        delete from concurrency_locks l using held where l.run_id = ${run} and l.command = any(${changes.releaseLocks})),
      told as (
        insert into events (run_id, kind, command, level, message, data)
        select ${run}, x.kind, x.command, x.level, x.message, x.data
        from held, rows from (jsonb_to_recordset(${json(changes.events.map(eventRow))}::jsonb) as (
          kind text, command text, level text, message text, data jsonb)) with ordinality as x
        order by x.ordinality)
      select id from held`.execute(this.#db);
    if (rows.length === 0) throw new FencedError(run);
  }

  /** Takes the key for a command, or says who holds it. */
  async lock(key: string, command: string): Promise<{ held: true } | { held: false; by: string }> {
    const row = await this.#db
      .insertInto('concurrency_locks')
      .values({ key, run_id: this.#runId, command })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .returning('key')
      .executeTakeFirst();
    if (row) return { held: true };
    const holder = await this.#db
      .selectFrom('concurrency_locks')
      .selectAll()
      .where('key', '=', key)
      .executeTakeFirst();
    if (holder?.run_id === this.#runId && holder.command === command) return { held: true };
    return {
      held: false,
      by: holder ? `${holder.run_id}/${holder.command}` : 'a command that has just ended',
    };
  }

  /** The last write of a run. */
  async end(state: RunState, error: RunRow['error'], events: NewEvent[]): Promise<Selectable<RunsTable>> {
    return await this.#db.transaction().execute(async (tx) => {
      const run = await tx
        .updateTable('runs')
        .set({ state, error: error ? json(error) : null, ended_at: sql<Date>`now()` })
        .where('id', '=', this.#runId)
        .where('epoch', '=', this.#epoch)
        .returningAll()
        .executeTakeFirst();
      if (!run) throw new FencedError(this.#runId);
      await tx.deleteFrom('concurrency_locks').where('run_id', '=', this.#runId).execute();
      await insertEvents(tx, this.#runId, events);
      return run;
    });
  }

  async log(events: NewEvent[]): Promise<void> {
    await insertEvents(this.#db, this.#runId, events);
  }
}

/** Appends to a run's log. */
export async function insertEvents(db: Database, runId: string, events: NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await db
    .insertInto('events')
    .values(
      events
        .map(eventRow)
        .map((event) => ({ ...event, run_id: runId, data: event.data === null ? null : json(event.data) })),
    )
    .execute();
}

function eventRow(event: NewEvent) {
  return {
    kind: event.kind,
    command: event.command ?? null,
    level: event.level ?? ('info' as const),
    message: event.message.replaceAll('\u0000', '\ufffd').slice(0, 8_000),
    data: event.data ?? null,
  };
}
