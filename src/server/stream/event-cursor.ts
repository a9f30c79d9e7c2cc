import { sql } from 'kysely';
import { InputError } from '../../base/index.js';
import type { Database } from '../../store/index.js';
import { type EventView, viewEvent } from '../views/runs.js';

/**
 * Where a reader of a run's events stands. Ids alone do not say it: an event with a lower id can become visible after
 * one with a higher id, because its transaction commits later. So a cursor names database snapshots: everything that
 * `settled` sees was delivered, and of what `current` sees besides, everything up to `id`. (A snapshot knows nothing
 * of subtransactions: events must not be written inside a savepoint.)
 */
export interface EventCursor {
  settled?: string;
  current?: string;
  id: number;
}

/**
 * How far below the highest id delivered a late one is still looked for. It bounds the work of a look: a transaction
 * would have to stay open while this many events are written to be missed.
 */
const overlap = 5_000;
const batch = 500;

const snapshotPattern = /^\d{1,20}:\d{1,20}:(\d{1,20}(,\d{1,20})*)?$/;

/** The cursor of an SSE `Last-Event-ID`: one that we gave, or a plain event id. */
export function parseCursor(text: string | undefined): EventCursor {
  if (text === undefined || text === '') return { id: 0 };
  const [id = '', current, settled] = text.split('/');
  const valid =
    /^\d{1,15}$/.test(id) &&
    (current === undefined || snapshotPattern.test(current)) &&
    (settled === undefined || settled === '' || snapshotPattern.test(settled));
  if (!valid) throw new InputError(`Last-Event-ID: "${text.slice(0, 60)}" is not one of this stream`);
  return { id: Number(id), ...(current && { current }), ...(settled && { settled }) };
}

export function formatCursor({ id, current, settled }: EventCursor): string {
  return current === undefined ? String(id) : `${id}/${current}/${settled ?? ''}`;
}

export interface EventBatch {
  /** Each with the cursor that stands right behind it. */
  events: { event: EventView; cursor: EventCursor }[];
  /** Where to go on. */
  next: EventCursor;
  /** Nothing more is visible now. */
  drained: boolean;
}

interface Row {
  id: number;
  at: Date;
  kind: EventView['kind'];
  command: string | null;
  level: EventView['level'];
  message: string;
  data: unknown;
}

/** The next events behind `cursor`, by id. */
export async function readBehind(db: Database, runId: string, cursor: EventCursor): Promise<EventBatch> {
  // The snapshot that this look goes by: the one that it is in the middle of, or a new one. It is taken before the
  // rows are read, so that all of what it sees is there to be read.
  const current = cursor.current ?? (await takeSnapshot(db));
  const middle = cursor.current !== undefined || cursor.settled === undefined;
  const from = middle ? cursor.id : cursor.id - overlap;
  const rows = await readRows(db, runId, { from, current, settled: cursor.settled });
  const events = rows.map((row) => {
    const here: EventCursor = { id: row.id, current, ...(cursor.settled && { settled: cursor.settled }) };
    return { event: viewEvent(row), cursor: here };
  });
  const last = events.at(-1)?.cursor;
  if (rows.length === batch && last) return { events, next: last, drained: false };
  const highest = Math.max(cursor.id, last?.id ?? 0);
  return { events, next: { id: highest, settled: current }, drained: cursor.current === undefined };
}

async function takeSnapshot(db: Database): Promise<string> {
  const { rows } = await sql<{ snapshot: string }>`
    select pg_current_snapshot()::text as snapshot
  `.execute(db);
  return rows[0]!.snapshot;
}

/** xmin is the low half of a transaction id: its age below the newest id completes it. */
const inserted = sql`(newest - ((newest - e.xmin::text::bigint) & 4294967295))::text::xid8`;

async function readRows(
  db: Database,
  runId: string,
  range: { from: number; current: string; settled: string | undefined },
): Promise<Row[]> {
  const unsettled = range.settled
    ? sql`not pg_visible_in_snapshot(${inserted}, ${range.settled}::pg_snapshot)`
    : sql`true`;
  const { rows } = await sql<Row>`
    select e.id, e.at, e.kind, e.command, e.level, e.message, e.data
    from events e cross join (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as newest offset 0) s
    where e.run_id = ${runId} and e.id > ${range.from} and ${unsettled}
      and pg_visible_in_snapshot(${inserted}, ${range.current}::pg_snapshot)
    order by e.id limit ${batch}
  `.execute(db);
  return rows;
}
