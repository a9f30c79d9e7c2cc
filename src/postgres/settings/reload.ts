import type pg from 'pg';
import { OttoError, systemClock } from '../../base/index.js';
import { withConnection } from '../connect.js';

/**
 * Makes the server read its configuration again and waits until it has: the load time is read on new connections,
 * which have it from the server's main process.
 * @throws OttoError RELOAD_TIMEOUT
 */
export async function reload(
  client: pg.ClientBase,
  url: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const before = await loadTime(url);
  const { rows } = await client.query<{ sent: boolean }>('select pg_reload_conf() as sent');
  const deadline = systemClock.monotonic() + timeoutMs;
  for (let pauseMs = 5; rows[0]!.sent; pauseMs = Math.min(pauseMs * 2, 250)) {
    if ((await loadTime(url)) !== before) return;
    if (systemClock.monotonic() > deadline) break;
    await systemClock.sleep(pauseMs, signal);
  }
  throw new OttoError(
    'RELOAD_TIMEOUT',
    `the server did not read its configuration again within ${timeoutMs / 1000} s`,
    {
      hint: 'Its log says whether the configuration files have an error.',
    },
  );
}

async function loadTime(url: string): Promise<string> {
  return withConnection(url, {}, async (client) => {
    const { rows } = await client.query<{ at: string }>('select pg_conf_load_time()::text as at');
    return rows[0]!.at;
  });
}
