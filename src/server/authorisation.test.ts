import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp, type DeclaredRoute } from './app.js';
import { startTestServer, type TestServer } from './testing/index.js';

let api: TestServer;
let routes: DeclaredRoute[];
const rank = { none: -1, viewer: 0, operator: 1, admin: 2 };

beforeAll(async () => {
  api = await startTestServer({ limits: { failedAuthPerMinute: 10_000, requestsPerMinute: 100_000 } });
  const described = await createApp(api.control, { port: 0, workerPort: 0 });
  routes = described.routes.filter(({ url }) => url.startsWith('/api/'));
  await described.app.close();
});
afterAll(async () => await api?.stop());

const pathOf = ({ url }: DeclaredRoute) => `/${url.replaceAll(/:\w+/g, 'x_1')}`;

describe('every route', () => {
  it('is known to this test', () => {
    expect(routes.length).toBeGreaterThan(60);
    expect(routes.filter(({ role }) => role === 'none').map(({ method, url }) => `${method} ${url}`)).toEqual(
      ['GET /api/v1/health', 'HEAD /api/v1/health', 'POST /api/v1/session'],
    );
  });

  it('answers 401 without a token, with a false one and with a revoked one', async () => {
    const { token, row } = await api.control.tokens.issue(
      { name: 'old', role: 'admin' },
      { name: 't', role: 'admin' },
    );
    await api.control.tokens.revoke(row.id, { name: 't', role: 'admin' });
    for (const route of routes.filter(({ role }) => role !== 'none')) {
      for (const headers of <Record<string, string>[]>[
        {},
        { authorization: `Bearer otto_${'A'.repeat(43)}` },
        { authorization: `Bearer ${token}` },
        { authorization: 'Basic dTpw' },
        { cookie: 'otto_session=v1.AAAA' },
      ]) {
        const answer = await api.call(route.method, pathOf(route), { headers });
        expect(answer.status, `${route.method} ${route.url} ${JSON.stringify(headers)}`).toBe(401);
        if (route.method !== 'HEAD') expect(answer.json.error.code).toBe('UNAUTHENTICATED');
      }
    }
  });

  it('answers 403 to every role below its own, and to worker tokens', async () => {
    let asked = 0;
    for (const route of routes.filter(({ role }) => role !== 'none')) {
      for (const role of ['worker', 'viewer', 'operator'] as const) {
        if (role !== 'worker' && rank[role] >= rank[route.role]) continue;
        const answer = await api.call(route.method, pathOf(route), { token: api.tokens[role] });
        expect(answer.status, `${role}: ${route.method} ${route.url}`).toBe(403);
        asked += 1;
      }
    }
    expect(asked).toBeGreaterThan(80);
  });

  it('that changes something is audited, and needs more than a viewer', () => {
    const changing = routes.filter(({ method }) => !['GET', 'HEAD'].includes(method));
    expect(changing.length).toBeGreaterThanOrEqual(20);
    for (const route of changing) {
      if (route.url.endsWith('/dags/validate')) continue;
      expect(route.audited, `${route.method} ${route.url}`).toBe(true);
      if (!route.url.endsWith('/session')) expect(rank[route.role]).toBeGreaterThan(rank.viewer);
    }
  });

  it('carries headers that keep browsers safe and proxies from storing', async () => {
    for (const path of ['/health', '/targets', '//', '/nowhere']) {
      const { headers } = await api.call('GET', path, { token: api.tokens.viewer });
      expect(headers['content-security-policy'], path).toMatch(/default-src 'self'.*frame-ancestors 'none'/);
      expect(headers['content-security-policy'], path).not.toMatch(/script-src|unsafe-eval/);
      expect(headers['x-content-type-options'], path).toBe('nosniff');
      expect(headers['access-control-allow-origin'], path).toBeUndefined();
      if (path !== '//') expect(headers['cache-control'], path).toBe('no-store');
    }
  });
});

it('says what is not there', async () => {
  const nowhere = await api.call('GET', '/nowhere', { token: api.tokens.viewer });
  expect([nowhere.status, nowhere.json.error.code]).toEqual([404, 'ROUTE_NOT_FOUND']);
  const posted = await api.call('POST', '/nowhere', { token: api.tokens.viewer, body: {} });
  expect(posted.status).toBe(404);
  for (const path of ['/runs/x', '/targets/x', '/artifacts/x', '/runs/x/events', '/artifacts/x/content']) {
    const answer = await api.call('GET', path, { token: api.tokens.viewer });
    expect([path, answer.status]).toEqual([path, 404]);
    expect(answer.json.error.code).toMatch(/_NOT_FOUND$/);
  }
});
