import { sql } from 'kysely';
import { InputError, newId, OttoError } from '../../base/index.js';
import {
  type CommandTypes,
  type Dag,
  type DagEngine,
  type Dispatcher,
  insertEvents,
  prepareDag,
  resetForResume,
  validateDag,
} from '../../dag/index.js';
import { type Database, json, type RunRow } from '../../store/index.js';
import type { Audit } from '../services/audit.js';
import type { Targets } from '../services/targets.js';
import type { Actor, RunService, SubmitRequest } from '../services/types.js';

export interface RunsOptions {
  db: Database;
  engine: Pick<DagEngine, 'start'>;
  dispatcher: Pick<Dispatcher, 'isAlive'>;
  types: CommandTypes;
  targets: Pick<Targets, 'find'>;
  audit: Pick<Audit, 'record'>;
}

/** Submits, cancels, resumes and repeats runs. */
export class Runs implements RunService {
  readonly #options: RunsOptions;

  constructor(options: RunsOptions) {
    this.#options = options;
  }

  validate(document: unknown, options: { parameters?: Record<string, unknown> } = {}) {
    return validateDag(document, this.#options.types, options);
  }

  async submit(request: SubmitRequest, actor: Actor): Promise<string> {
    return await this.#store(request, actor, null);
  }

  async cancel(id: string, actor: Actor): Promise<void> {
    const row = await this.#options.db
      .updateTable('runs')
      .set({ cancel_requested_at: sql<Date>`now()`, cancel_requested_by: actor.name })
      .where('id', '=', id)
      .where('state', 'in', ['PENDING', 'RUNNING'])
      .where('cancel_requested_at', 'is', null)
      .returning('id')
      .executeTakeFirst();
    if (!row) {
      const run = await this.#find(id);
      if (run.cancel_requested_at && !run.ended_at) return;
      throw new OttoError('RUN_STATE', `run ${id} has ended (${run.state}): there is nothing to cancel`);
    }
    await insertEvents(this.#options.db, id, [
      { kind: 'run', level: 'warn', message: `cancelled by ${actor.name}` },
    ]);
  }

  async resume(id: string, actor: Actor): Promise<void> {
    const { db, engine, dispatcher } = this.#options;
    const run = await this.#find(id);
    if (run.state === 'PENDING' || run.state === 'RUNNING')
      throw new OttoError('RUN_STATE', `run ${id} has not ended`);
    if (run.state === 'SUCCEEDED') {
      throw new OttoError('RUN_STATE', `run ${id} succeeded: there is nothing to resume`, {
        hint: 'Run it again instead: otto dag rerun.',
      });
    }
    const dag = run.dag as Dag;
    const rows = await db.selectFrom('commands').selectAll().where('run_id', '=', id).execute();
    const alive = new Map<string, boolean>();
    for (const command of dag.commands) {
      const row = rows.find((each) => each.name === command.name);
      alive.set(
        command.name,
        row?.state === 'SUCCEEDED' && (await dispatcher.isAlive(run, command, row.output)),
      );
    }
    const makes = (name: string) => {
      const type = dag.commands.find((command) => command.name === name)!.type;
      return this.#options.types.get(type)?.makes !== undefined;
    };
    const reset = resetForResume(
      prepareDag(dag),
      new Map(rows.map((row) => [row.name, row])),
      (name) => !makes(name) || alive.get(name) === true,
    );
    const generation = await db.transaction().execute(async (tx) => {
      const row = await tx
        .updateTable('runs')
        .set((eb) => ({
          state: 'RUNNING' as const,
          generation: eb('generation', '+', 1),
          cancel_requested_at: null,
          cancel_requested_by: null,
          ended_at: null,
          error: null,
          deadline_at: deadlineOf(dag),
        }))
        .where('id', '=', id)
        .where('generation', '=', run.generation)
        .where('ended_at', 'is not', null)
        .returning('generation')
        .executeTakeFirst();
      if (!row) throw new OttoError('RUN_STATE', `run ${id} was resumed by someone else`);
      await tx
        .updateTable('commands')
        .set((eb) => ({
          state: 'PENDING' as const,
          attempts_before: eb.ref('attempt'),
          losses: 0,
          not_before: null,
          deadline_at: null,
          output: null,
          error: null,
          reason: null,
          progress: null,
          worker_id: null,
          ready_at: null,
          started_at: null,
          ended_at: null,
        }))
        .where('run_id', '=', id)
        .where('name', '=', sql<string>`any(${reset})`)
        .execute();
      // What is launched again is a new process under the same key.
      await tx
        .updateTable('workers')
        .set({ launch_key: null })
        .where('run_id', '=', id)
        .where('state', '=', 'STOPPED')
        .execute();
      const again = reset.join(', ') || 'nothing';
      await insertEvents(tx, id, [
        { kind: 'run', message: `resumed by ${actor.name}; to do again: ${again}` },
      ]);
      return row.generation;
    });
    await engine.start(id, generation);
  }

  async rerun(id: string, options: { parameters?: Record<string, unknown> }, actor: Actor): Promise<string> {
    const run = await this.#find(id);
    const request: SubmitRequest = {
      document: run.document,
      parameters: { ...run.parameters, ...options.parameters },
      ...(run.target_id !== null && { target: run.target_id }),
    };
    return await this.#store(request, actor, id);
  }

  async #store(request: SubmitRequest, actor: Actor, rerunOf: string | null): Promise<string> {
    const { db, engine, targets, types } = this.#options;
    const given = request.parameters ?? {};
    const { dag, parameters, issues } = validateDag(request.document, types, { parameters: given });
    if (!dag) {
      throw new InputError(`the DAG has ${issues.length} ${issues.length === 1 ? 'error' : 'errors'}`, {
        code: 'INVALID_DAG',
        issues,
      });
    }
    const targetName = request.target ?? dag.target;
    const target = targetName === undefined ? undefined : await targets.find(targetName);
    const id = newId('run');
    await db.transaction().execute(async (tx) => {
      await tx
        .insertInto('runs')
        .values({
          id,
          name: dag.name,
          dag: json(dag),
          document: json(request.document),
          parameters: json(parameters ?? {}),
          target_id: target?.id ?? null,
          rerun_of: rerunOf,
          schedule_id: request.scheduleId ?? null,
          created_by: actor.name,
          deadline_at: deadlineOf(dag),
        })
        .execute();
      await tx
        .insertInto('commands')
        .values(
          dag.commands.map((command, ordinal) => ({
            run_id: id,
            name: command.name,
            ordinal,
            type: command.type,
            parents: command.parents,
            cleanup: command.cleanup,
          })),
        )
        .execute();
      await insertEvents(tx, id, [
        { kind: 'run', message: `submitted by ${actor.name}`, data: { state: 'PENDING' } },
      ]);
    });
    // A crash right here leaves a stored run without a workflow: the sweeper starts it.
    await engine.start(id, 0);
    return id;
  }

  async #find(id: string): Promise<RunRow> {
    const run = await this.#options.db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirst();
    if (!run)
      throw new OttoError('RUN_NOT_FOUND', `there is no run ${id}`, {
        hint: 'List them with: otto dag list',
      });
    return run;
  }
}

function deadlineOf(dag: Dag) {
  return dag.timeoutMs === undefined ? null : sql<Date>`now() + ${dag.timeoutMs} * interval '1 ms'`;
}
