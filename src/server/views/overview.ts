import { sql } from 'kysely';
import type { z } from 'zod';
import type { Control } from '../../control/index.js';
import type { overview } from '../schemas/admin.js';
import { listChanges } from './fleet.js';
import { listRuns } from './runs.js';
import { viewTargets } from './targets.js';

interface Counts {
  running: number;
  failed24h: number;
  succeeded24h: number;
  ready: number;
  lost: number;
  clones: number;
}

export async function readOverview(control: Control): Promise<z.infer<typeof overview>> {
  const { db } = control;
  const [targets, counts, changes, runs] = await Promise.all([
    control.targets.list(),
    countThings(control),
    listChanges(db, { state: 'INTENDED', limit: 100 }),
    listRuns(db, { limit: 10 }),
  ]);
  return {
    targets: await viewTargets(db, targets),
    runs: {
      running: counts.running,
      failed24h: counts.failed24h,
      succeeded24h: counts.succeeded24h,
    },
    workers: { ready: counts.ready, lost: counts.lost },
    clones: { running: counts.clones },
    openChanges: changes.items,
    recentRuns: runs.items,
  };
}

async function countThings(control: Control): Promise<Counts> {
  const { rows } = await sql<Counts>`
    select
      (select count(*) from runs where state in ('PENDING', 'RUNNING')) as running,
      (select count(*) from runs
        where state in ('FAILED', 'TIMED_OUT') and ended_at > now() - interval '24 hours') as "failed24h",
      (select count(*) from runs
        where state = 'SUCCEEDED' and ended_at > now() - interval '24 hours') as "succeeded24h",
      (select count(*) from workers where state = 'READY') as ready,
      (select count(*) from workers where state = 'LOST') as lost,
      (select count(*) from clones where state in ('STARTING', 'READY')) as clones
  `.execute(control.db);
  return rows[0]!;
}
