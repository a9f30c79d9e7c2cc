import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../postgres/index.js';
import { json } from '../store/index.js';
import { SseClient, startTestServer, type TestServer } from './testing/index.js';

let api: TestServer;
let runId: string;
const clients: SseClient[] = [];

beforeAll(async () => {
  api = await startTestServer({
    limits: {
      streamPingMs: 200,
      streamsPerActor: 4,
      streamBacklogBytes: 300_000,
      streamUnreadMs: 1_000,
    },
  });
});
afterAll(async () => await api?.stop());
beforeEach(async () => {
  runId = await api.control.runs.submit(
    { document: { name: 'r', commands: ['a'] } },
    { name: 't', role: 'admin' },
  );
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function open(
  path = `/runs/${runId}/stream`,
  headers: Record<string, string> = {},
): Promise<SseClient> {
  const client = await SseClient.open(`${api.server.url}/api/v1${path}`, {
    token: api.tokens.viewer,
    headers,
  });
  clients.push(client);
  return client;
}

async function write(from: number, to: number): Promise<void> {
  const rows = Array.from({ length: to - from }, (_, i) => ({
    run_id: runId,
    kind: 'log' as const,
    message: `line ${from + i}`,
  }));
  await api.control.db.insertInto('events').values(rows).execute();
}

const lines = (client: SseClient) => client.of('event').map(({ data }) => data.message);
const expected = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `line ${from + i}`);

describe('the stream of a run', () => {
  it('tells what was, then what comes, and its state on each change', async () => {
    await write(0, 3);
    const client = await open();
    await client.until(() => lines(client).length === 3 && client.of('state').length === 1);
    expect(client.of('state')[0]!.data).toMatchObject({
      id: runId,
      state: 'PENDING',
      commands: [{ name: 'a', state: 'PENDING', attempt: 0 }],
    });
    await api.control.db
      .updateTable('commands')
      .set({ state: 'RUNNING', attempt: 1, progress: json({ phase: 'copying', done: 1 }) })
      .where('run_id', '=', runId)
      .execute();
    await write(3, 5);
    await client.until(() => lines(client).length === 5 && client.of('state').length === 2);
    expect(client.of('state')[1]!.data.commands[0]).toMatchObject({
      state: 'RUNNING',
      progress: { phase: 'copying', done: 1 },
    });
    expect(lines(client)).toEqual(expected(0, 5));
    await client.until(({ comments }) => comments > 0);
  });

  it('goes on where a broken connection left off: nothing lost, nothing twice', async () => {
    const got: string[] = [];
    let lastEventId: string | undefined;
    let written = 0;
    for (let round = 0; round < 6; round++) {
      await write(written, written + 700);
      written += 700;
      const client = await open(undefined, lastEventId ? { 'last-event-id': lastEventId } : {});
      // Breaks off in the middle of what there is to tell, but for the last time.
      await client.until(
        () => lines(client).length > 100 && (round < 5 || got.length + lines(client).length >= written),
      );
      client.close();
      await client.until(({ ended }) => ended);
      got.push(...lines(client));
      lastEventId = client.lastEventId;
    }
    expect(got).toEqual(expected(0, written));
  });

  it('takes a plain event id, in the header or in the address', async () => {
    await write(0, 4);
    const first = await open();
    await first.until(() => lines(first).length === 4);
    const id = first.of('event')[1]!.data.id;
    const byHeader = await open(undefined, { 'last-event-id': String(id) });
    const byQuery = await open(`/runs/${runId}/stream?after=${id}`);
    for (const client of [byHeader, byQuery]) {
      await client.until(() => lines(client).length === 2);
      expect(lines(client)).toEqual(['line 2', 'line 3']);
    }
    const nonsense = await open(undefined, { 'last-event-id': "1/'; drop table events" });
    expect(nonsense.status).toBe(400);
  });

  describe('with a writer that commits late', () => {
    let late: pg.Client;
    beforeEach(async () => {
      late = await connect(api.control.databaseUrl);
      await late.query('begin');
      await late.query("insert into otto.events (run_id, kind, message) values ($1, 'log', 'late')", [runId]);
      return () => late.end();
    });

    it('tells its event although later ids were told before', async () => {
      const client = await open();
      await write(0, 2);
      await client.until(() => lines(client).length === 2);
      await late.query('commit');
      await client.until(() => lines(client).length === 3);
      expect(lines(client)).toEqual(['line 0', 'line 1', 'late']);
    });

    it('tells it also to one that was away meanwhile, and nothing else again', async () => {
      const client = await open();
      await write(0, 2);
      await client.until(() => lines(client).length === 2);
      const resume = { 'last-event-id': client.lastEventId! };
      client.close();
      await late.query('commit');
      const again = await open(undefined, resume);
      await write(2, 3);
      await again.until(() => lines(again).includes('line 2'));
      expect(lines(again)).toEqual(['late', 'line 2']);
    });
  });

  it('keeps silent about other runs', async () => {
    const client = await open();
    const other = await api.control.runs.submit(
      { document: { name: 'o', commands: [] } },
      { name: 't', role: 'admin' },
    );
    await api.control.db
      .insertInto('events')
      .values({ run_id: other, kind: 'log', message: 'secret' })
      .execute();
    await write(0, 1);
    await client.until(() => lines(client).length === 1);
    expect(lines(client)).toEqual(['line 0']);
  });
});

describe('the stream of hints', () => {
  it('says which lists have changed, a run only when its state did', async () => {
    const client = await open('/stream');
    await api.control.db
      .insertInto('workers')
      .values({ id: `wrk_${runId}`, kind: 'primary', name: 'w', how: 'manual', info: '{}', launch: '{}' })
      .execute();
    await write(0, 1);
    await client.until(() => client.of('fleet').length > 0 && client.of('run').length > 0);
    expect(client.of('fleet')[0]!.data).toEqual({ table: 'workers', id: `wrk_${runId}` });
    expect(client.of('run')[0]!.data).toEqual({ id: runId, state: 'PENDING' });
    await write(1, 2);
    await api.control.db.updateTable('runs').set({ state: 'SUCCEEDED' }).where('id', '=', runId).execute();
    await write(2, 3);
    await client.until(() => client.of('run').at(-1)!.data.state === 'SUCCEEDED');
    expect(client.of('run').filter(({ data }) => data.state === 'PENDING')).toHaveLength(1);
  });
});

describe('streams', () => {
  it('are limited for each actor, and freed when they end', async () => {
    const four = await Promise.all([open(), open(), open(), open('/stream')]);
    expect(four.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const fifth = await open();
    expect(fifth.status).toBe(429);
    for (const client of four) client.close();
    await expect
      .poll(async () => {
        const again = await open();
        again.close();
        return again.status;
      })
      .toBe(200);
  });

  it('drop a client that does not read', async () => {
    const client = await SseClient.open(`${api.server.url}/api/v1/runs/${runId}/stream`, {
      token: api.tokens.operator,
      paused: true,
    });
    clients.push(client);
    const streams = async () => {
      const { text } = await api.call('GET', '/metrics', { token: api.tokens.viewer });
      return Number(/^otto_streams (\d+)$/m.exec(text)?.[1]);
    };
    await expect.poll(streams).toBe(1);
    // More than the buffers of both sockets and the backlog hold.
    const message = 'x'.repeat(100_000);
    for (let i = 0; i < 200; i++) {
      await api.control.db.insertInto('events').values({ run_id: runId, kind: 'log', message }).execute();
    }
    await expect.poll(streams, { timeout: 25_000, interval: 200 }).toBe(0);
  });

  it('end when the server stops', async () => {
    const server = await startTestServer({ again: api.control });
    const client = await SseClient.open(`${server.server.url}/api/v1/stream`, {
      token: server.tokens.viewer,
    });
    await server.stop();
    await client.until(({ ended }) => ended);
  });
});
