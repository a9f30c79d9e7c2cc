import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FastifyInstance, fastify } from 'fastify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiClient } from './api-client.js';
import { downloadArtifact } from './download.js';
import { findByName } from './find.js';
import { followRun } from './follow.js';
import { connectTo } from './locate.js';
import { Output } from './output.js';
import { readEvents } from './server-events.js';

const prefix = '/api/v1';
let folder: string;
let app: FastifyInstance;
let url: string;
/** Authorization headers as they arrived. */
let seen: (string | undefined)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'otto-cli-'));
  seen = [];
  app = fastify({ forceCloseConnections: true });
  app.addHook('onRequest', async (request) => void seen.push(request.headers.authorization));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await app.close();
  await rm(folder, { recursive: true, force: true });
});

async function listen(): Promise<ApiClient> {
  url = await app.listen({ host: '127.0.0.1', port: 0 });
  return new ApiClient({ url, token: 'secret' });
}

/** What is printed while `run` runs. */
async function printed(
  run: () => Promise<unknown>,
): Promise<{ stdout: string; stderr: string; error: unknown }> {
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      text[name] += String(chunk);
      return true;
    });
  }
  const error = await run().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  vi.restoreAllMocks();
  return { ...text, error };
}

describe('requests', () => {
  it('send the token and come back as JSON', async () => {
    app.get(`${prefix}/health`, async () => ({ status: 'ok' }));
    const api = await listen();
    expect(await api.get('/health')).toEqual({ status: 'ok' });
    expect(seen).toEqual(['Bearer secret']);
  });

  it('read every page of a list, up to the limit', async () => {
    app.get<{ Querystring: { cursor?: string; limit: string } }>(`${prefix}/runs`, async ({ query }) => {
      const from = Number(query.cursor ?? 0);
      const items = [from, from + 1, from + 2].filter((id) => id < 8).map((id) => ({ id }));
      return { items, ...(from + 3 < 8 && { next: String(from + 3) }) };
    });
    const api = await listen();
    expect(await api.list('/runs', {}, 100)).toHaveLength(8);
    expect(await api.list('/runs', {}, 4)).toHaveLength(4);
  });

  it('turn the server’s errors into ours, with code, issues and remedy', async () => {
    app.post(`${prefix}/runs`, async (_, reply) => {
      const issues = [{ path: 'commands[0]', message: 'is wrong' }];
      return await reply.code(400).send({ error: { code: 'INVALID_DAG', message: 'no', issues } });
    });
    app.get(
      `${prefix}/secret`,
      async (_, reply) => await reply.code(401).send({ error: { code: 'UNAUTHENTICATED', message: 'who?' } }),
    );
    app.get(
      `${prefix}/proxy`,
      async (_, reply) => await reply.code(502).type('text/html').send('<h1>Bad gateway</h1>'),
    );
    app.get(`${prefix}/text`, async () => 'hello');
    const api = await listen();
    await expect(api.post('/runs', {})).rejects.toMatchObject({
      name: 'InputError',
      code: 'INVALID_DAG',
      issues: [{ path: 'commands[0]', message: 'is wrong' }],
    });
    await expect(api.get('/secret')).rejects.toMatchObject({
      name: 'OttoError',
      hint: expect.stringContaining('OTTO_TOKEN'),
    });
    await expect(api.get('/proxy')).rejects.toMatchObject({ code: 'HTTP_502' });
    await expect(api.get('/text')).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  });

  it('never follow a redirect with the token', async () => {
    app.get(`${prefix}/health`, async (_, reply) => await reply.redirect('http://127.0.0.1:9/elsewhere'));
    const api = await listen();
    await expect(api.get('/health')).rejects.toMatchObject({ code: 'CONTROL_PLANE_UNREACHABLE' });
  });

  it('say when nobody is there', async () => {
    await listen();
    await app.close();
    await expect(new ApiClient({ url }).get('/health')).rejects.toMatchObject({
      code: 'CONTROL_PLANE_UNREACHABLE',
      transient: true,
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('find by id or name, and refuse to guess', async () => {
    const items = [
      { id: 'w1', name: 'db1', state: 'STOPPED' },
      { id: 'w2', name: 'db1', state: 'READY' },
      { id: 'w3', name: 'db2', state: 'READY' },
      { id: 'w4', name: 'db2', state: 'READY' },
    ];
    app.get(`${prefix}/workers`, async () => ({ items }));
    const api = await listen();
    const find = (wanted: string) =>
      findByName<(typeof items)[0]>(api, '/workers', wanted, 'worker', ({ state }) => state === 'STOPPED');
    expect((await find('db1')).id).toBe('w2');
    expect((await find('w1')).id).toBe('w1');
    await expect(find('db2')).rejects.toThrow('several workers are named "db2"');
    await expect(find('db3')).rejects.toThrow('there is no worker "db3"');
  });
});

describe('finding the control plane', () => {
  const notes: string[] = [];
  const out = { note: (text: string) => void notes.push(text) };

  const leave = async (server: string) => {
    await writeFile(
      join(folder, 'control.json'),
      JSON.stringify({ url: server, workerUrl: '', pid: 1, startedAt: '' }),
    );
    await writeFile(join(folder, 'admin.token'), 'otto_admin\n', { mode: 0o600 });
  };

  it('takes the one of the data folder, with its token', async () => {
    app.get(`${prefix}/health`, async () => ({}));
    await listen();
    await leave(url);
    const api = await connectTo({ data: folder }, out);
    await api.get('/health');
    expect(api.url).toBe(url);
    expect(seen).toEqual(['Bearer otto_admin']);
  });

  it('gives the local token to no other server', async () => {
    app.get(`${prefix}/health`, async () => ({}));
    await listen();
    await leave('http://127.0.0.1:1');
    await (await connectTo({ data: folder, server: url }, out)).get('/health');
    vi.stubEnv('OTTO_TOKEN', 'mine');
    await (await connectTo({ data: folder, server: url }, out)).get('/health');
    await writeFile(join(folder, 'file.token'), 'from file\n');
    await (await connectTo({ data: folder, server: url, tokenFile: join(folder, 'file.token') }, out)).get(
      '/health',
    );
    expect(seen).toEqual([undefined, 'Bearer mine', 'Bearer from file']);
  });

  it('says what is missing', async () => {
    await expect(connectTo({ data: folder }, out)).rejects.toMatchObject({ code: 'NO_CONTROL_PLANE' });
    await expect(connectTo({ data: folder, server: 'x' }, out)).rejects.toThrow('"x" is not the URL');
    await expect(
      connectTo({ server: 'http://127.0.0.1:1', tokenFile: join(folder, 'none') }, out),
    ).rejects.toThrow('cannot be read (ENOENT)');
  });

  it('warns when a token would travel in the clear', async () => {
    vi.stubEnv('OTTO_TOKEN', 'mine');
    notes.length = 0;
    await connectTo({ data: folder, server: 'http://otto.example.com' }, out);
    await connectTo({ data: folder, server: 'https://otto.example.com' }, out);
    await connectTo({ data: folder, server: 'http://localhost:8080' }, out);
    expect(notes).toHaveLength(1);
  });
});

describe('server-sent events', () => {
  it('are read however they are cut', async () => {
    const text =
      ': ping\r\n\r\nid: 1\r\nevent: event\r\ndata: {"a":\r\ndata: "ü"}\r\n\r\nretry: 5\n\ndata\n\ndata: z\n\n';
    const bytes = new TextEncoder().encode(text);
    for (let size = 1; size <= bytes.length; size += 1) {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
          controller.close();
        },
      });
      const events = [];
      for await (const event of readEvents(body)) events.push(event);
      expect(events).toEqual([
        { event: 'event', data: '{"a":\n"ü"}', id: '1' },
        { event: 'message', data: '', id: '1' },
        { event: 'message', data: 'z', id: '1' },
      ]);
    }
  });
});

describe('following a run', () => {
  const event = (id: number) => ({
    id,
    at: '2026-01-01T00:00:00.000Z',
    kind: 'log',
    level: 'info',
    message: `line ${id}`,
  });
  const frame = (name: string, data: unknown, id?: number) =>
    `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

  const serve = (state: string) => {
    const asked: (string | undefined)[] = [];
    app.get(`${prefix}/runs/run_1/stream`, (request, reply) => {
      const last = request.headers['last-event-id'];
      asked.push(last as string | undefined);
      reply.hijack();
      reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
      if (last === undefined) {
        reply.raw.write(frame('event', event(1), 1) + frame('event', event(2), 2));
        // Broken off in the middle of an event.
        reply.raw.write('id: 3\nevent: ev', () => reply.raw.destroy());
        return;
      }
      reply.raw.end(frame('event', event(3), 3) + frame('state', { id: 'run_1', state, commands: [] }));
    });
    app.get(`${prefix}/runs/run_1`, async () => ({
      id: 'run_1',
      name: 'demo',
      state,
      createdBy: 'me',
      cancelRequested: false,
      commands: [],
      ...(state === 'FAILED' && { error: { code: 'COMMAND_FAILED', message: '1 command failed: a' } }),
    }));
    return asked;
  };

  it('goes on after a broken connection where it broke: each event once', async () => {
    const asked = serve('SUCCEEDED');
    const api = await listen();
    const { stdout, error } = await printed(() =>
      followRun(api, 'run_1', new Output({ json: true }), new AbortController().signal),
    );
    expect(error).toBeUndefined();
    expect(asked).toEqual([undefined, '2']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; event?: { id: number } });
    expect(lines.map((line) => line.event?.id ?? line.type)).toEqual([1, 2, 3, 'end']);
  });

  it('fails when the run failed', async () => {
    serve('FAILED');
    const api = await listen();
    const { stdout, error } = await printed(() =>
      followRun(api, 'run_1', new Output({ json: false }), new AbortController().signal),
    );
    expect(stdout).toContain('line 3');
    expect(error).toMatchObject({
      code: 'RUN_FAILED',
      message: 'run run_1 ended FAILED: 1 command failed: a',
    });
  });

  it('stops at once when interrupted, and says that the run goes on', async () => {
    app.get(`${prefix}/runs/run_1/stream`, (_, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.raw.write(frame('event', event(1), 1));
      interrupt.abort();
    });
    const interrupt = new AbortController();
    const api = await listen();
    const { stderr, error } = await printed(() =>
      followRun(api, 'run_1', new Output({ json: false }), interrupt.signal),
    );
    expect((error as Error).name).toBe('AbortError');
    expect(stderr).toContain('the run goes on');
  });
});

describe('downloads', () => {
  const content = Buffer.from('parquet, so to speak');
  const serve = (sha256: string) => {
    app.get(`${prefix}/artifacts/art_1`, async () => ({
      id: 'art_1',
      name: '../../w.parquet',
      bytes: content.length,
      sha256,
    }));
    app.get(`${prefix}/artifacts/art_1/content`, async (_, reply) => await reply.send(content));
  };
  const download = async (to?: string) => {
    const api = await listen();
    const out = new Output({ json: true });
    return await printed(() =>
      downloadArtifact({ api: async () => api, out, signal: new AbortController().signal }, 'art_1', to),
    );
  };

  it('are checked, and never overwrite', async () => {
    serve(createHash('sha256').update(content).digest('hex'));
    const file = join(folder, 'w.parquet');
    expect((await download(file)).error).toBeUndefined();
    expect(await readFile(file)).toEqual(content);
    const again = await printed(() =>
      downloadArtifact(
        {
          api: async () => new ApiClient({ url }),
          out: new Output({ json: true }),
          signal: new AbortController().signal,
        },
        'art_1',
        file,
      ),
    );
    expect(again.error).toMatchObject({ message: expect.stringContaining('exists') });
    expect(await readdir(folder)).toEqual(['w.parquet']);
  });

  it('leave nothing behind when the checksum is wrong', async () => {
    serve('0'.repeat(64));
    const { error } = await download(join(folder, 'w.parquet'));
    expect(error).toMatchObject({ code: 'BAD_CHECKSUM' });
    expect(await readdir(folder)).toEqual([]);
  });
});
