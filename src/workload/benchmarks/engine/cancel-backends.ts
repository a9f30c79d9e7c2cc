import type pg from 'pg';
import { withConnection } from '../../../postgres/index.js';

/** Ends what the server is doing on these connections, through one more. */
export async function cancelBackends(url: string, clients: readonly pg.Client[]): Promise<void> {
  // The driver keeps the backend's process id, but its types do not show it.
  const pids = clients.flatMap((client) => (client as { processID?: number | null }).processID ?? []);
  if (pids.length === 0) return;
  await withConnection(url, { applicationName: 'otto cancel' }, (client) =>
    client.query('SELECT pg_cancel_backend(pid) FROM unnest($1::int[]) AS pid', [pids]),
  );
}
