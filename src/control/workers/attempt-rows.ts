import { sql } from 'kysely';
import type { ErrorJson, Progress } from '../../base/index.js';
import { insertEvents, reportAttempt } from '../../dag/index.js';
import { type AttemptRow, type Database, json } from '../../store/index.js';
import type { Report } from '../../workers/index.js';

/** Who says something of an attempt: only the worker that holds it, under the lease that it was given out with. */
export interface Holder {
  workerId: string;
  leaseEpoch: number;
}

/** What a worker reports when not the command failed but the worker went away under it. */
const lossCodes = new Set([
  'WORKER_STOPPED',
  'WORKER_DRAINING',
  'WORKER_RESTARTED',
  'LEASE_LOST',
  'CONTROL_PLANE_UNREACHABLE',
]);

/** Stores the end of an attempt. Under another lease it is old news: the attempt was given up, and perhaps made again. */
export async function storeReport(db: Database, holder: Holder, report: Report): Promise<void> {
  if (!(await holds(db, holder, report.attemptId))) return;
  const error = report.errorJson === '' ? null : (JSON.parse(report.errorJson) as ErrorJson);
  const lost = report.state === 'FAILED' && lossCodes.has(error?.code ?? '');
  await reportAttempt(db, report.attemptId, {
    state: lost ? 'LOST' : (report.state as AttemptRow['state']),
    output: report.outputJson === '' ? null : JSON.parse(report.outputJson),
    error,
  });
}

export async function storeLog(
  db: Database,
  holder: Holder,
  line: { attemptId: string; level: string; message: string },
): Promise<void> {
  if (!(await holds(db, holder, line.attemptId))) return;
  const { runId, command } = partsOf(line.attemptId);
  const level = line.level === 'warn' || line.level === 'error' ? line.level : 'info';
  await insertEvents(db, runId, [{ kind: 'log', command, level, message: line.message }]);
}

export async function storeProgress(
  db: Database,
  holder: Holder,
  attemptId: string,
  progress: Progress,
): Promise<void> {
  if (!(await holds(db, holder, attemptId))) return;
  const { runId, command } = partsOf(attemptId);
  await db
    .updateTable('commands')
    .set({ progress: json(progress) })
    .where('run_id', '=', runId)
    .where('name', '=', command)
    .where('state', '=', 'RUNNING')
    .execute();
  await sql`select pg_notify('otto_event', ${`${runId} 0`})`.execute(db);
}

/** Ends the open attempts of a worker that is gone; their runs decide on another try. */
export async function loseAttempts(db: Database, workerId: string, message: string): Promise<void> {
  await db
    .updateTable('attempts')
    .set({ state: 'LOST', error: json({ code: 'WORKER_LOST', message }), ended_at: sql<Date>`now()` })
    .where('worker_id', '=', workerId)
    .where('state', 'in', ['ASSIGNED', 'RUNNING'])
    .execute();
}

async function holds(db: Database, holder: Holder, attemptId: string): Promise<boolean> {
  const attempt = await db
    .selectFrom('attempts')
    .select('id')
    .where('id', '=', attemptId)
    .where('worker_id', '=', holder.workerId)
    .where('lease_epoch', '=', holder.leaseEpoch)
    .executeTakeFirst();
  return attempt !== undefined;
}

/** `<run>/<command>/<number>`: a command's name has no slash. */
function partsOf(attemptId: string): { runId: string; command: string } {
  const [runId, command] = attemptId.split('/');
  return { runId: runId!, command: command! };
}
