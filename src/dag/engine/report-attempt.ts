import type { ErrorJson } from '../../base/index.js';
import { type AttemptRow, type Database, json } from '../../store/index.js';

/** How an attempt ended. */
export interface AttemptEnd {
  state: AttemptRow['state'];
  output: unknown;
  error: ErrorJson | null;
}

/** Writes the end of an attempt once; a second report of the same attempt changes nothing. Returns whether it was the first. */
export async function reportAttempt(db: Database, id: string, end: AttemptEnd): Promise<boolean> {
  const row = await db
    .updateTable('attempts')
    .set({
      state: end.state,
      output: end.output === null ? null : json(end.output),
      error: end.error === null ? null : json(end.error),
      ended_at: new Date(),
    })
    .where('id', '=', id)
    .where('state', 'in', ['ASSIGNED', 'RUNNING'])
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}
