import { OttoError } from '../../base/index.js';
import type { Database } from '../../store/index.js';
import { pageOf } from './page.js';
import { viewEvent } from './runs.js';

export async function readEvents(db: Database, runId: string, page: { after: number; limit: number }) {
  const run = await db.selectFrom('runs').select('id').where('id', '=', runId).executeTakeFirst();
  if (!run) throw new OttoError('RUN_NOT_FOUND', `there is no run ${runId}`);
  const rows = await db
    .selectFrom('events')
    .selectAll()
    .where('run_id', '=', runId)
    .where('id', '>', page.after)
    .orderBy('id')
    .limit(page.limit + 1)
    .execute();
  return pageOf(rows, page.limit, viewEvent);
}
