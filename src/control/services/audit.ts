import { sql } from 'kysely';
import { type AuditRow, type Database, json } from '../../store/index.js';
import type { Actor } from './types.js';

/** Who did what, when, to what, and how it ended. Rows are only ever added. */
export class Audit {
  readonly #db: Database;

  constructor(options: { db: Database }) {
    this.#db = options.db;
  }

  /** `action` is `noun.verb`; `subject` an id or a name; `detail` must not hold secrets. */
  async record(
    actor: { name: string; role: Actor['role'] | 'none' },
    action: string,
    subject: string,
    detail: Record<string, unknown> = {},
    outcome: AuditRow['outcome'] = 'done',
  ): Promise<void> {
    await this.#db
      .insertInto('audit')
      .values({ actor: actor.name, role: actor.role, action, subject, detail: json(detail), outcome })
      .execute();
  }

  /** Newest first. `text` is looked for in actor, action, subject and detail; `before` is an id. */
  async list(filter: { text?: string; before?: number; limit: number }): Promise<AuditRow[]> {
    let query = this.#db.selectFrom('audit').selectAll().orderBy('id', 'desc').limit(filter.limit);
    if (filter.before !== undefined) query = query.where('id', '<', filter.before);
    if (filter.text) {
      const pattern = `%${filter.text.replaceAll(/[\\%_]/g, '\\$&')}%`;
      query = query.where(
        sql<boolean>`concat_ws(' ', actor, action, subject, outcome, detail::text) ilike ${pattern}`,
      );
    }
    return await query.execute();
  }
}
