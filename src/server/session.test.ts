import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SecretBox } from '../store/index.js';
import { startTestServer, type TestServer } from './testing/index.js';

let api: TestServer;
let twin: TestServer;
const started: TestServer[] = [];

beforeAll(async () => {
  api = await startTestServer();
  twin = await startTestServer({ again: api.control });
});
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});
afterAll(async () => {
  await twin?.stop();
  await api?.stop();
});

async function login(server: TestServer, token: string): Promise<{ cookie: string; setCookie: string }> {
  const answer = await server.call('POST', '/session', { body: { token } });
  expect(answer.status).toBe(200);
  const setCookie = answer.headers['set-cookie']?.[0] ?? '';
  return { setCookie, cookie: setCookie.split(';')[0]! };
}

const tokenBody = { name: 'new', role: 'viewer' };

describe('a browser session', () => {
  it('is a cookie that scripts cannot read and other sites cannot send', async () => {
    const { setCookie, cookie } = await login(api, api.tokens.admin);
    expect(setCookie).toMatch(/^otto_session=[^;]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(decodeURIComponent(setCookie)).not.toContain(api.tokens.admin);
    const who = await api.call('GET', '/session', { headers: { cookie } });
    expect(who.json).toEqual({ actor: 'a admin', role: 'admin', open: false });
  });

  it('holds at another control plane of the same database', async () => {
    const { cookie } = await login(api, api.tokens.operator);
    const who = await twin.call('GET', '/session', { headers: { cookie } });
    expect([who.status, who.json.role]).toEqual([200, 'operator']);
  });

  it('changes things only with the header and from the same origin', async () => {
    const { cookie } = await login(api, api.tokens.admin);
    const origin = api.server.url;
    const post = (headers: Record<string, string>) =>
      api.call('POST', '/tokens', { body: tokenBody, headers: { cookie, ...headers } });
    const refused: [string, Record<string, string>][] = [
      ['no header, no origin', {}],
      ['no header', { origin }],
      ['no origin', { 'x-otto-csrf': '1' }],
      ['another value', { origin, 'x-otto-csrf': 'true' }],
      ['another site', { origin: 'https://evil.example', 'x-otto-csrf': '1' }],
      ['another port', { origin: 'http://127.0.0.1:1', 'x-otto-csrf': '1' }],
      ['another scheme', { origin: origin.replace('http:', 'https:'), 'x-otto-csrf': '1' }],
      ['a sandboxed page', { origin: 'null', 'x-otto-csrf': '1' }],
    ];
    for (const [what, headers] of refused) {
      const answer = await post(headers);
      expect([what, answer.status, answer.json.error.code]).toEqual([what, 403, 'CSRF']);
    }
    expect((await post({ origin, 'x-otto-csrf': '1' })).status).toBe(201);
    const bearer = await api.call('POST', '/tokens', { body: tokenBody, token: api.tokens.admin });
    expect(bearer.status).toBe(201);
  });

  it('ends with its token, and when it is closed', async () => {
    const actor = { name: 't', role: 'admin' } as const;
    const { token, row } = await api.control.tokens.issue({ name: 'brief', role: 'viewer' }, actor);
    const { cookie } = await login(api, token);
    await api.control.tokens.revoke(row.id, actor);
    const answer = await api.call('GET', '/session', { headers: { cookie } });
    expect(answer.json.error).toMatchObject({ code: 'UNAUTHENTICATED', message: 'the session has ended' });

    const open = await login(api, api.tokens.viewer);
    const closed = await api.call('DELETE', '/session', {
      headers: { cookie: open.cookie, origin: api.server.url, 'x-otto-csrf': '1' },
    });
    expect(closed.headers['set-cookie']?.[0]).toMatch(/^otto_session=;.*Expires=Thu, 01 Jan 1970/);
  });

  it('cannot be forged from another secret, sealed with the key itself or another', async () => {
    const { id } = (await api.control.tokens.list()).find(({ role }) => role === 'admin')!;
    const session = JSON.stringify({ tokenId: id, expiresAt: Date.now() + 60_000 });
    for (const sealed of [
      new SecretBox(api.control.secretKey).seal(session),
      new SecretBox(SecretBox.newKey()).seal(session),
      Buffer.from(session).toString('base64'),
      '',
    ]) {
      const answer = await api.call('GET', '/session', {
        headers: { cookie: `otto_session=${encodeURIComponent(sealed)}` },
      });
      expect(answer.status).toBe(401);
    }
    const expired = api.control.secrets
      .derive('session cookie')
      .seal(JSON.stringify({ tokenId: id, expiresAt: Date.now() - 1 }));
    const late = await api.call('GET', '/session', {
      headers: { cookie: `otto_session=${encodeURIComponent(expired)}` },
    });
    expect(late.status).toBe(401);
  });

  it('is not opened by a worker token', async () => {
    const answer = await api.call('POST', '/session', { body: { token: api.tokens.worker } });
    expect([answer.status, answer.headers['set-cookie']]).toEqual([403, undefined]);
  });
});

describe('the Host header', () => {
  const ask = (host: string, server = api) => server.call('GET', '/health', { headers: { host } });

  it('must name this server: another name may have been rebound to it', async () => {
    for (const host of ['localhost', 'LOCALHOST:80', '127.0.0.1:9', '[::1]:7', 'localhost.']) {
      expect([host, (await ask(host)).status]).toEqual([host, 200]);
    }
    for (const host of ['evil.example', 'localhost.evil.example', '10.0.0.1', '127.0.0.1.nip.io']) {
      const answer = await ask(host);
      expect([host, answer.status, answer.json.error.code]).toEqual([host, 403, 'HOST_NOT_ALLOWED']);
    }
  });

  it('may be one of the names given', async () => {
    const named = await startTestServer({ again: api.control, allowedHosts: ['otto.example'] });
    started.push(named);
    expect((await ask('otto.example:443', named)).status).toBe(200);
    expect((await ask('other.example', named)).status).toBe(403);
  });
});

describe('limits', () => {
  it('slow down who guesses tokens, without shutting out who has one', async () => {
    const server = await startTestServer({ again: api.control, limits: { failedAuthPerMinute: 5 } });
    started.push(server);
    const statuses: number[] = [];
    for (let i = 0; i < 8; i++) {
      const guess = `otto_${String(i).padStart(43, 'x')}`;
      statuses.push((await server.call('GET', '/runs', { token: guess })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    expect((await server.call('GET', '/runs', { token: server.tokens.viewer })).status).toBe(200);
  });

  it('hold for logins and for requests, each actor for itself', async () => {
    const server = await startTestServer({
      again: api.control,
      limits: { sessionsPerMinute: 3, requestsPerMinute: 6 },
    });
    started.push(server);
    const logins: number[] = [];
    for (let i = 0; i < 5; i++) {
      logins.push((await server.call('POST', '/session', { body: { token: 'guess' } })).status);
    }
    expect(logins).toEqual([401, 401, 401, 429, 429]);
    const asked: number[] = [];
    for (let i = 0; i < 8; i++) {
      asked.push((await server.call('GET', '/runs', { token: server.tokens.viewer })).status);
    }
    expect(asked).toEqual([200, 200, 200, 200, 200, 200, 429, 429]);
    const last = await server.call('GET', '/runs', { token: server.tokens.viewer });
    expect(last.json.error).toMatchObject({ code: 'TOO_MANY_REQUESTS', transient: true });
    expect(Number(last.headers['retry-after'])).toBeGreaterThan(0);
    expect((await server.call('GET', '/runs', { token: server.tokens.operator })).status).toBe(200);
  });

  it('refuse a body that is too large or is no JSON', async () => {
    const server = await startTestServer({ again: api.control, limits: { bodyBytes: 1_000 } });
    started.push(server);
    const token = server.tokens.operator;
    const large = await server.call('POST', '/runs', { token, body: { document: 'x'.repeat(2_000) } });
    expect(large.status).toBe(413);
    const form = await server.call('POST', '/runs', {
      token,
      body: 'a=b',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(form.status).toBe(415);
  });
});

describe('open mode', () => {
  it('asks for no token, but keeps the other rules', async () => {
    const server = await startTestServer({ again: api.control, open: true });
    started.push(server);
    expect((await server.call('GET', '/session')).json).toEqual({ actor: 'demo', role: 'admin', open: true });
    const plain = await server.call('POST', '/tokens', { body: tokenBody });
    expect([plain.status, plain.json.error.code]).toEqual([403, 'CSRF']);
    const headers = { 'x-otto-csrf': '1' };
    expect((await server.call('POST', '/tokens', { body: tokenBody, headers })).status).toBe(201);
    const foreign = { ...headers, origin: 'https://evil.example' };
    expect((await server.call('POST', '/tokens', { body: tokenBody, headers: foreign })).status).toBe(403);
    expect((await server.call('GET', '/runs', { headers: { host: 'evil.example' } })).status).toBe(403);
    expect((await server.call('GET', '/runs', { token: 'otto_false' })).status).toBe(401);
  });
});
