import { withConnection } from '../../../postgres/index.js';
import type { BenchmarkName, Condition, ConsistencyReport } from '../benchmark.js';
import { type Marker, requireLoaded } from './schema.js';

export interface ConditionQuery {
  id: string;
  text: string;
  /** Rows with a boolean `ok`, one for each group that is looked at. */
  sql: string;
}

const maxSamples = 5;

/** Asks all conditions of one snapshot, so that it may be done while the benchmark runs. */
export async function checkConditions(
  url: string,
  benchmark: BenchmarkName,
  conditionsFor: (marker: Marker) => ConditionQuery[],
  signal: AbortSignal | undefined,
): Promise<ConsistencyReport> {
  const connecting = { applicationName: `otto ${benchmark} check`, statementTimeoutMs: 30 * 60_000, signal };
  return await withConnection(url, connecting, async (client) => {
    const marker = await requireLoaded(client, benchmark);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const conditions: Condition[] = [];
    for (const { id, text, sql } of conditionsFor(marker)) {
      signal?.throwIfAborted();
      const { rows } = await client.query<{
        checked: string;
        violations: string;
        samples: Record<string, unknown>[];
      }>(
        `WITH looked_at AS MATERIALIZED (${sql}),
              bad AS (SELECT * FROM looked_at WHERE ok IS NOT TRUE LIMIT ${maxSamples})
         SELECT (SELECT count(*) FROM looked_at) AS checked,
                (SELECT count(*) FROM looked_at WHERE ok IS NOT TRUE) AS violations,
                (SELECT coalesce(jsonb_agg(to_jsonb(bad) - 'ok'), '[]') FROM bad) AS samples`,
      );
      const row = rows[0]!;
      conditions.push({
        id,
        text,
        checked: Number(row.checked),
        violations: Number(row.violations),
        samples: row.samples,
      });
    }
    await client.query('COMMIT');
    return { benchmark, consistent: conditions.every(({ violations }) => violations === 0), conditions };
  });
}
