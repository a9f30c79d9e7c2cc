import { Cron } from 'croner';
import { InputError, newId, OttoError } from '../../base/index.js';
import { type Database, json, type ScheduleRow } from '../../store/index.js';
import { nameTaken } from './name-taken.js';
import type { Actor, RunService } from './types.js';

export interface NewSchedule {
  name: string;
  /** Five or six fields. */
  cron: string;
  /** IANA name; UTC when absent. */
  timeZone?: string;
  document: unknown;
  parameters?: Record<string, unknown>;
  /** Id or name. */
  target?: string;
  overlap?: 'skip' | 'allow';
}

/** DAGs that start by the clock: what is due is claimed here and fired by the control plane's ticker. */
export class Schedules {
  readonly #db: Database;
  readonly #validate: RunService['validate'];
  readonly #findTarget: (idOrName: string) => Promise<{ id: string }>;

  constructor(options: {
    db: Database;
    /** A schedule of a DAG that cannot run is refused when it is made, not at night. */
    validate: RunService['validate'];
    findTarget: (idOrName: string) => Promise<{ id: string }>;
  }) {
    this.#db = options.db;
    this.#validate = options.validate;
    this.#findTarget = options.findTarget;
  }

  async add(request: NewSchedule, actor: Actor): Promise<ScheduleRow> {
    const timeZone = request.timeZone ?? 'UTC';
    const nextAt = nextTime(request.cron, timeZone, new Date());
    this.#check(request.document, request.parameters ?? {}, request.target);
    const target = request.target === undefined ? undefined : await this.#findTarget(request.target);
    try {
      return await this.#db
        .insertInto('schedules')
        .values({
          id: newId('sch'),
          name: request.name.trim(),
          cron: request.cron,
          time_zone: timeZone,
          document: json(request.document),
          parameters: json(request.parameters ?? {}),
          target_id: target?.id,
          overlap: request.overlap ?? 'skip',
          next_at: nextAt,
          created_by: actor.name,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
    } catch (error) {
      throw nameTaken(error, 'schedule', request.name);
    }
  }

  /** Enabling, and a change of cron or time zone, count from now: nothing that was missed is made up for. */
  async update(
    id: string,
    patch: Partial<NewSchedule> & { enabled?: boolean },
    _actor: Actor,
  ): Promise<ScheduleRow> {
    const old = await this.find(id);
    const cron = patch.cron ?? old.cron;
    const timeZone = patch.timeZone ?? old.time_zone;
    const enabled = patch.enabled ?? old.enabled;
    const nextAt = nextTime(cron, timeZone, new Date());
    const moved = cron !== old.cron || timeZone !== old.time_zone || enabled !== old.enabled;
    if (patch.document !== undefined || patch.parameters !== undefined || patch.target !== undefined) {
      this.#check(
        patch.document ?? old.document,
        patch.parameters ?? old.parameters,
        patch.target ?? old.target_id ?? undefined,
      );
    }
    const target = patch.target === undefined ? undefined : await this.#findTarget(patch.target);
    try {
      const row = await this.#db
        .updateTable('schedules')
        .set({
          cron,
          time_zone: timeZone,
          enabled,
          ...(moved && { next_at: enabled ? nextAt : null }),
          ...(patch.name !== undefined && { name: patch.name.trim() }),
          ...(patch.document !== undefined && { document: json(patch.document) }),
          ...(patch.parameters !== undefined && { parameters: json(patch.parameters) }),
          ...(target && { target_id: target.id }),
          ...(patch.overlap !== undefined && { overlap: patch.overlap }),
        })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst();
      if (!row) throw notFound(id);
      return row;
    } catch (error) {
      throw nameTaken(error, 'schedule', patch.name ?? old.name);
    }
  }

  /** The runs that it started stay. */
  async remove(id: string, _actor: Actor): Promise<void> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('schedules')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) throw notFound(id);
  }

  async find(id: string): Promise<ScheduleRow> {
    const row = await this.#db.selectFrom('schedules').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row) throw notFound(id);
    return row;
  }

  async list(): Promise<ScheduleRow[]> {
    return await this.#db.selectFrom('schedules').selectAll().orderBy('name').execute();
  }

  /** What should have fired by `now`, longest overdue first. Looking claims nothing. */
  async due(now: Date): Promise<ScheduleRow[]> {
    return await this.#db
      .selectFrom('schedules')
      .selectAll()
      .where('enabled', '=', true)
      .where('next_at', '<=', now)
      .orderBy('next_at')
      .execute();
  }

  /**
   * Takes what is due and moves each to its next time after `now`, in one step: of several control planes exactly
   * one gets it, and a time that passed several times while nobody was up fires once. The rows are as they stood
   * before: `next_at` is the time that is fired for.
   */
  async claim(now: Date): Promise<ScheduleRow[]> {
    const claimed: ScheduleRow[] = [];
    for (const row of await this.due(now)) {
      const { numUpdatedRows } = await this.#db
        .updateTable('schedules')
        .set({ next_at: nextTime(row.cron, row.time_zone, now), last_at: now })
        .where('id', '=', row.id)
        .where('enabled', '=', true)
        .where('next_at', '=', row.next_at!)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 1n) claimed.push(row);
    }
    return claimed;
  }

  /** What came of a claim: the run, or why there is none. */
  async fired(id: string, result: { runId?: string; note?: string }): Promise<void> {
    await this.#db
      .updateTable('schedules')
      .set({ ...(result.runId && { last_run_id: result.runId }), last_note: result.note ?? null })
      .where('id', '=', id)
      .execute();
  }

  #check(document: unknown, parameters: Record<string, unknown>, target: string | undefined): void {
    const { issues } = this.#validate(document, { parameters, ...(target !== undefined && { target }) });
    if (issues.length > 0) {
      throw new InputError(
        `document: ${issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')}`,
        {
          issues: issues.map((issue) => ({ ...issue, path: `document${issue.path && `.${issue.path}`}` })),
        },
      );
    }
  }
}

/** The first time after `after` that the pattern names; null when there is none left. */
function nextTime(cron: string, timeZone: string, after: Date): Date | null {
  try {
    // An unknown zone would otherwise only be noticed, and worded, by the library's date arithmetic.
    new Intl.DateTimeFormat('en', { timeZone });
  } catch (error) {
    throw new InputError(`timeZone: "${timeZone}" is not a time zone`, {
      hint: 'Use an IANA name such as Europe/Berlin, or UTC.',
      issues: [{ path: 'timeZone', message: 'is not a time zone' }],
      cause: error,
    });
  }
  try {
    return new Cron(cron, { timezone: timeZone, mode: '5-or-6-parts', paused: true }).nextRun(after);
  } catch (error) {
    throw new InputError(`cron: "${cron}" is not a schedule: ${(error as Error).message}`, {
      hint: 'Five fields: minute hour day month weekday, such as "0 3 * * 1-5"; a sixth in front is seconds.',
      issues: [{ path: 'cron', message: (error as Error).message }],
      cause: error,
    });
  }
}

function notFound(id: string): OttoError {
  return new OttoError('SCHEDULE_NOT_FOUND', `there is no schedule ${id}`);
}
