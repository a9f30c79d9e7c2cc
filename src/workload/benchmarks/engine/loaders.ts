import type pg from 'pg';
import { connect, withConnection } from '../../../postgres/index.js';
import type { BenchmarkName } from '../benchmark.js';
import { cancelBackends } from './cancel-backends.js';
import { dropSchema } from './schema.js';

/** One makes rows wait for the server, more only add processes: the client fills two. */
const loaders = 2;

/**
 * Runs `work` with the connections of a load and closes them, whatever happens. On abort what they are doing is
 * ended. Durability is put off while loading: a crash leaves a load that is marked incomplete.
 */
export async function openLoaders<T>(
  url: string,
  applicationName: string,
  signal: AbortSignal | undefined,
  work: (clients: [pg.Client, ...pg.Client[]]) => Promise<T>,
): Promise<T> {
  const clients: pg.Client[] = [];
  const abort = () => {
    cancelBackends(url, clients).catch(() => {});
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for (let i = 0; i < loaders; i++) {
      const client = await connect(url, { applicationName, statementTimeoutMs: 60 * 60_000, signal });
      clients.push(client);
      await client.query('SET synchronous_commit = off');
    }
    return await work(clients as [pg.Client, ...pg.Client[]]);
  } catch (error) {
    // The cancelled statement's own error would hide why it was cancelled.
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
    await Promise.all(clients.map((client) => client.end().catch(() => {})));
  }
}

export async function dropBenchmark(
  url: string,
  benchmark: BenchmarkName,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const options = { applicationName: `otto ${benchmark} drop`, statementTimeoutMs: 10 * 60_000, signal };
  return await withConnection(url, options, (client) => dropSchema(client, benchmark));
}
