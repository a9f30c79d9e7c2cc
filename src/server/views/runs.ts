import { sql } from 'kysely';
import type { z } from 'zod';
import { OttoError } from '../../base/index.js';
import { publicName } from '../../control/index.js';
import type { Dag } from '../../dag/index.js';
import type { ArtifactRow, AttemptRow, CommandRow, Database, RunRow, RunState } from '../../store/index.js';
import type { commandView, eventView, runDetail, runLight, runSummary } from '../schemas/run.js';
import { viewArtifact } from './artifacts.js';
import { containing, iso, olderThan, opt, pageOf } from './page.js';

export type RunSummary = z.infer<typeof runSummary>;
export type RunDetail = z.infer<typeof runDetail>;
export type RunLight = z.infer<typeof runLight>;
export type EventView = z.infer<typeof eventView>;
type CommandView = z.infer<typeof commandView>;
type Counts = RunSummary['commands'];
type RunHead = Omit<RunRow, 'dag' | 'document' | 'parameters'> & { target_name: string | null };

const headColumns = [
  'runs.id',
  'runs.name',
  'runs.target_id',
  'runs.state',
  'runs.generation',
  'runs.epoch',
  'runs.owner',
  'runs.cancel_requested_at',
  'runs.cancel_requested_by',
  'runs.error',
  'runs.rerun_of',
  'runs.schedule_id',
  'runs.created_by',
  'runs.created_at',
  'runs.started_at',
  'runs.ended_at',
  'runs.deadline_at',
  'targets.name as target_name',
] as const;

export interface RunFilter {
  state?: RunState;
  target?: string;
  q?: string;
  limit: number;
  cursor?: string;
}

export async function listRuns(db: Database, filter: RunFilter) {
  let query = db
    .selectFrom('runs')
    .leftJoin('targets', 'targets.id', 'runs.target_id')
    .leftJoinLateral(
      (inner) =>
        inner
          .selectFrom('commands')
          .whereRef('commands.run_id', '=', 'runs.id')
          .select([
            sql<number>`count(*)`.as('total'),
            sql<number>`count(*) filter (where commands.state = 'SUCCEEDED')`.as('succeeded'),
            sql<number>`count(*) filter (where commands.state in ('FAILED', 'TIMED_OUT'))`.as('failed'),
            sql<number>`count(*) filter (where commands.state = 'RUNNING')`.as('running'),
          ])
          .as('counts'),
      (join) => join.onTrue(),
    )
    .select([...headColumns, 'counts.total', 'counts.succeeded', 'counts.failed', 'counts.running'])
    .orderBy('runs.created_at', 'desc')
    .orderBy('runs.id', 'desc')
    .limit(filter.limit + 1);
  if (filter.state) query = query.where('runs.state', '=', filter.state);
  if (filter.target) {
    const target = filter.target;
    query = query.where((or) => or.or([or('targets.id', '=', target), or('targets.name', '=', target)]));
  }
  if (filter.q) {
    const pattern = containing(filter.q);
    query = query.where((or) => or.or([or('runs.name', 'ilike', pattern), or('runs.id', 'ilike', pattern)]));
  }
  if (filter.cursor) query = query.where(olderThan('runs', filter.cursor));
  return pageOf(await query.execute(), filter.limit, (row) => ({
    ...viewHead(row),
    commands: {
      total: row.total ?? 0,
      succeeded: row.succeeded ?? 0,
      failed: row.failed ?? 0,
      running: row.running ?? 0,
    },
  }));
}

export async function readRun(db: Database, id: string): Promise<RunDetail> {
  const run = await db
    .selectFrom('runs')
    .leftJoin('targets', 'targets.id', 'runs.target_id')
    .select([...headColumns, 'runs.dag', 'runs.document', 'runs.parameters'])
    .where('runs.id', '=', id)
    .executeTakeFirst();
  if (!run) throw new OttoError('RUN_NOT_FOUND', `there is no run ${id}`);
  const [commands, attempts, artifacts] = await Promise.all([
    db.selectFrom('commands').selectAll().where('run_id', '=', id).orderBy('ordinal').execute(),
    db.selectFrom('attempts').selectAll().where('run_id', '=', id).orderBy('number').execute(),
    db
      .selectFrom('artifacts')
      .selectAll()
      .where('run_id', '=', id)
      .where('deleted_at', 'is', null)
      .orderBy('created_at')
      .execute(),
  ]);
  const dag = run.dag as Dag;
  return {
    ...viewHead(run),
    commandCounts: countStates(commands),
    dag,
    document: run.document,
    parameters: run.parameters,
    commands: commands.map((command) =>
      viewCommand(
        command,
        dag,
        attempts.filter((attempt) => attempt.command === command.name),
        artifacts.filter((artifact) => artifact.command === command.name),
      ),
    ),
  };
}

/** State and progress of a run and its commands, without their inputs and outputs. */
export async function readRunLight(db: Database, id: string): Promise<RunLight | undefined> {
  const run = await db.selectFrom('runs').select(['id', 'state']).where('id', '=', id).executeTakeFirst();
  if (!run) return undefined;
  const commands = await db
    .selectFrom('commands')
    .select(['name', 'state', 'attempt', 'progress', 'started_at', 'ended_at', 'error', 'reason'])
    .where('run_id', '=', id)
    .orderBy('ordinal')
    .execute();
  return {
    id: run.id,
    state: run.state,
    commands: commands.map((command) => ({
      name: command.name,
      state: command.state,
      attempt: command.attempt,
      progress: opt(command.progress),
      startedAt: iso(command.started_at),
      endedAt: iso(command.ended_at),
      error: opt(command.error),
      reason: opt(command.reason),
    })),
  };
}

function viewHead(row: RunHead): Omit<RunSummary, 'commands'> {
  const end = row.ended_at?.getTime();
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    targetId: opt(row.target_id),
    targetName: row.target_name === null ? undefined : publicName(row.target_name),
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    startedAt: iso(row.started_at),
    endedAt: iso(row.ended_at),
    durationMs: row.started_at && end !== undefined ? end - row.started_at.getTime() : undefined,
    cancelRequested: row.cancel_requested_at !== null,
    error: opt(row.error),
    rerunOf: opt(row.rerun_of),
    scheduleId: opt(row.schedule_id),
  };
}

function countStates(commands: CommandRow[]): Counts {
  const count = (...states: string[]) => commands.filter(({ state }) => states.includes(state)).length;
  return {
    total: commands.length,
    succeeded: count('SUCCEEDED'),
    failed: count('FAILED', 'TIMED_OUT'),
    running: count('RUNNING'),
  };
}

function viewCommand(
  row: CommandRow,
  dag: Dag,
  attempts: AttemptRow[],
  artifacts: ArtifactRow[],
): CommandView {
  return {
    name: row.name,
    type: row.type,
    parents: row.parents,
    cleanup: row.cleanup,
    state: row.state,
    attempt: row.attempt,
    maxAttempts: dag.commands.find(({ name }) => name === row.name)?.retry.attempts ?? 1,
    reason: opt(row.reason),
    progress: opt(row.progress),
    workerId: opt(row.worker_id),
    readyAt: iso(row.ready_at),
    startedAt: iso(row.started_at),
    endedAt: iso(row.ended_at),
    seconds:
      row.started_at && row.ended_at ? (row.ended_at.getTime() - row.started_at.getTime()) / 1000 : undefined,
    input: opt(row.input),
    output: opt(row.output),
    error: opt(row.error),
    attempts: attempts.map((attempt) => ({
      number: attempt.number,
      state: attempt.state,
      workerId: opt(attempt.worker_id),
      startedAt: iso(attempt.started_at),
      endedAt: iso(attempt.ended_at),
      error: opt(attempt.error),
    })),
    artifacts: artifacts.map(viewArtifact),
  };
}

export function viewEvent(row: {
  id: number;
  at: Date;
  kind: EventView['kind'];
  command: string | null;
  level: EventView['level'];
  message: string;
  data: unknown;
}): EventView {
  return {
    id: row.id,
    at: row.at.toISOString(),
    kind: row.kind,
    command: opt(row.command),
    level: row.level,
    message: row.message,
    data: opt(row.data),
  };
}
