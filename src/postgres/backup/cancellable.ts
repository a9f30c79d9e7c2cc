import type pg from 'pg';
import { OttoError } from '../../base/index.js';
import { withConnection } from '../connect.js';

/** Runs statements on `client` such that an abort ends the one that runs at the server, too. */
export async function cancellable<T>(
  client: pg.ClientBase,
  url: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (!signal) return work();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const abort = () => {
    // When this fails, the statement ends by itself, or with its connection.
    void withConnection(url, {}, (other) =>
      other.query('select pg_cancel_backend($1)', [rows[0]!.pid]),
    ).catch(() => {});
  };
  if (signal.aborted) throw new OttoError('CANCELLED', 'cancelled', { cause: signal.reason });
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw new OttoError('CANCELLED', 'the statement was cancelled', { cause: error });
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
