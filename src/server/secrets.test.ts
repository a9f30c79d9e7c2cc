import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createApp } from './app.js';
import { startTestServer } from './testing/index.js';

const planted = 'pl4nted-Pa55word';

/** Asks everything that can be asked, then looks for the secret wherever it could have come to lie. */
it('a password given once is never seen again', async () => {
  const log: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      log.push(String(chunk));
      done();
    },
  });
  const api = await startTestServer({
    logger: pino({ level: 'trace' }, sink),
    limits: { requestsPerMinute: 100_000 },
  });
  try {
    const token = api.tokens.admin;
    const seen: string[] = [];
    const ask = async (method: string, path: string, body?: unknown) => {
      const answer = await api.call(method, path, { token, body });
      seen.push(answer.text, JSON.stringify(answer.headers));
      return answer;
    };
    // A server with that password, one that refuses it, one that is not there, and one that is no URL.
    const { postgres } = api.control;
    const withPassword = postgres.url.replace(/:\/\/([^@/]+)@/, `://$1:${planted}@`);
    expect(withPassword).toContain(planted);
    const bodies = [
      { name: 'good', url: withPassword, replicaUrl: `postgresql://u:${planted}@127.0.0.1:2/x` },
      { name: 'wrong', url: withPassword.replace('://', '://nobody-').replace(/\/[^/]*$/, '/none') },
      { name: 'away', url: `postgresql://u:${planted}@127.0.0.1:1/x?application_name=${planted}` },
      { name: 'broken', url: `postgresql://u:${planted}@[::/x` },
      { name: 'foreign', url: `mysql://u:${planted}@h/x` },
      { name: 'BAD NAME', url: withPassword },
      { name: 'extra', url: withPassword, password: planted },
    ];
    const statuses: number[] = [];
    for (const body of bodies) statuses.push((await ask('POST', '/targets', body)).status);
    expect(statuses).toEqual([201, 201, 201, 400, 400, 400, 400]);
    await ask('POST', '/session', { token: planted });

    const { app, routes } = await createApp(api.control, { port: 0, workerPort: 0 });
    await app.close();
    const ids = (await api.control.targets.list()).map(({ id }) => id);
    expect(ids).toHaveLength(3);
    for (const { method, url } of routes) {
      if (method !== 'GET' || url.endsWith('/stream') || !url.startsWith('/api/v1')) continue;
      for (const id of ids) await ask('GET', url.replace('/api/v1', '').replaceAll(':id', id));
    }
    for (const id of ids) await ask('POST', `/targets/${id}/check`);
    await ask('DELETE', `/targets/${ids[0]}`);

    expect(seen.length).toBeGreaterThan(100);
    expect(seen.filter((text) => text.includes(planted))).toEqual([]);
    expect(log.filter((line) => line.includes(planted))).toEqual([]);
    expect(await findInDatabase(api.control.pool, planted)).toEqual([]);
    // The search would have found something that is there.
    expect(await findInDatabase(api.control.pool, 'good')).toContain('targets');
    for (const secret of Object.values(api.tokens)) {
      expect(await findInDatabase(api.control.pool, secret)).toEqual([]);
      expect(log.join('')).not.toContain(secret);
    }
    // And it is kept: dispatch still gets it.
    expect((await api.control.targets.access(ids[0]!).catch(() => undefined)) === undefined).toBe(true);
    expect(JSON.stringify(await api.control.targets.access('good'))).toContain(planted);
  } finally {
    await api.stop();
  }
});

/** Names of the tables that hold `text` in any column of any row. */
async function findInDatabase(
  pool: { query(sql: string, values?: unknown[]): Promise<{ rows: { name: string }[] }> },
  text: string,
): Promise<string[]> {
  const { rows: tables } = await pool.query(
    "select table_name as name from information_schema.tables where table_schema = 'otto' and table_type = 'BASE TABLE'",
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await pool.query(
      `select '${name}' as name from otto."${name}" t where position($1 in t::text) > 0 limit 1`,
      [text],
    );
    found.push(...rows.map((row) => row.name));
  }
  return found;
}
