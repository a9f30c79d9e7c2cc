import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger, systemClock } from '../../base/index.js';
import type { TestPostgres } from '../../postgres/testing/index.js';
import { asAdmin, MemoryJournal, settingsOf, startLoggingServer } from '../testing/support.js';
import { SettingsGuard } from './settings-guard.js';

let server: TestPostgres;
beforeAll(async () => {
  server = await startLoggingServer(18);
});
afterAll(() => server?.stop());

it('a server that restarts between the journal and the change: begun again, and put back exactly', async () => {
  const before = await settingsOf(server);
  const journal = new MemoryJournal();
  let restarts = 0;
  const guard = new SettingsGuard({
    url: server.url,
    server: 'primary',
    journal: {
      intend: async (changes) => {
        const open = await journal.intend(changes);
        if (restarts === 0) await server.instance.restart();
        restarts += 1;
        return open;
      },
      resolve: (id, state, note) => journal.resolve(id, state, note),
    },
    reason: 'a test',
    clock: systemClock,
    logger: silentLogger,
    reconnectMs: 30_000,
  });
  await guard.change({ log_min_duration_statement: '0', log_parameter_max_length_on_error: '-1' });
  expect(restarts).toBe(2);
  const [now] = await asAdmin(
    server.url,
    async (admin) => (await admin.query('show log_min_duration_statement')).rows,
  );
  expect(now).toEqual({ log_min_duration_statement: '0' });
  await guard.restore();
  expect(guard.restored.map(({ setting, outcome }) => `${setting} ${outcome}`).sort()).toEqual([
    'log_min_duration_statement RESTORED',
    'log_parameter_max_length_on_error RESTORED',
  ]);
  expect(await settingsOf(server)).toEqual(before);
});
