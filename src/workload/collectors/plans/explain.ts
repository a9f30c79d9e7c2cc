import type pg from 'pg';
import { sqlErrorCode } from '../../benchmarks/engine/failures.js';
import type { ServerConnection } from '../server-connection.js';
import type { ExplainOutput } from './plan-summary.js';
import type { CapturedCall } from './read-samples.js';

const explainable: readonly string[] = ['select', 'insert', 'update', 'delete', 'merge', 'values'];

/** Why a call cannot be explained, known without asking the server. */
export function whyNot(kind: string, call: CapturedCall | undefined): string | undefined {
  if (kind === 'multi') return 'it is several statements in one text';
  if (kind === 'unparsed') return 'its text cannot be parsed';
  if (!explainable.includes(kind)) return `a statement of kind "${kind}" has no plan`;
  if (!call || call.parameters === null) return 'the capture does not hold its parameters';
  return undefined;
}

/**
 * The plan of a call with its captured parameters, in a transaction that is rolled back. With `analyze` the call is
 * carried out, so that is for clones; without it the transaction is read-only too.
 */
export async function explain(
  server: ServerConnection,
  call: CapturedCall,
  options: { analyze: boolean; statementTimeoutMs: number },
): Promise<{ output: ExplainOutput } | { code: string; reason: string }> {
  const how = options.analyze ? 'ANALYZE, BUFFERS, SETTINGS' : 'SETTINGS';
  await server.client.query(options.analyze ? 'BEGIN' : 'BEGIN READ ONLY');
  try {
    await server.client.query(`SELECT set_config('statement_timeout', $1, true)`, [
      `${options.statementTimeoutMs}`,
    ]);
    // The extended protocol, also without parameters: it refuses a second statement behind the first.
    const query: pg.QueryConfig & { queryMode: 'extended' } = {
      text: `EXPLAIN (${how}, FORMAT JSON) ${call.sql}`,
      values: call.parameters ?? [],
      queryMode: 'extended',
    };
    const { rows } = await server.client.query<{ 'QUERY PLAN': ExplainOutput[] }>(query);
    return { output: rows[0]!['QUERY PLAN'][0]! };
  } catch (error) {
    const code = sqlErrorCode(error);
    // Anything but the server's own verdict on this statement is a failure of the collection.
    if (!/^[0-9A-Z]{5}$/.test(code) || /^(08|57P)/.test(code)) throw error;
    const reason =
      code === '57014' ? `it took longer than ${options.statementTimeoutMs} ms` : (error as Error).message;
    return { code, reason };
  } finally {
    await server.client.query('ROLLBACK').catch(() => {
      // A lost connection has rolled back; the error under way says so.
    });
  }
}
