import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json } from '../store/index.js';
import { startTestServer, type TestServer } from './testing/index.js';

let api: TestServer;

beforeAll(async () => {
  api = await startTestServer({ limits: { requestsPerMinute: 100_000 } });
});
afterAll(async () => {
  await api?.stop();
});

const as = (role: 'viewer' | 'operator' | 'admin', method: string, path: string, body?: unknown) =>
  api.call(method, path, { token: api.tokens[role], body });
const document = { name: 'nightly', commands: ['a', 'b'] };

async function lastAudit() {
  const { json: page } = await as('viewer', 'GET', '/audit?limit=1');
  const { id: _, at: __, ...row } = page.items[0];
  return row;
}

describe('targets', () => {
  it('are registered, looked at, and removed, with an audit row for each step, refused ones too', async () => {
    const body = { name: 'shop', url: api.control.databaseUrl, production: false };
    const refused = await as('operator', 'POST', '/targets', body);
    expect(refused.json.error).toMatchObject({ code: 'FORBIDDEN' });
    expect(await lastAudit()).toMatchObject({
      actor: 'a operator',
      action: 'target.add',
      outcome: 'refused',
    });

    const added = await as('admin', 'POST', '/targets', body);
    expect(added.status).toBe(201);
    expect(added.json).toMatchObject({ name: 'shop', production: false, state: 'HEALTHY', openChanges: [] });
    expect(await lastAudit()).toEqual({
      actor: 'a admin',
      role: 'admin',
      action: 'target.add',
      subject: added.json.id,
      detail: { name: 'shop', production: false, from: '127.0.0.1' },
      outcome: 'done',
    });
    const twice = await as('admin', 'POST', '/targets', body);
    expect([twice.status, twice.json.error.code]).toEqual([409, 'NAME_TAKEN']);
    expect(await lastAudit()).toMatchObject({ outcome: 'failed', detail: { status: 409 } });

    expect((await as('viewer', 'GET', '/targets/shop')).json.id).toBe(added.json.id);
    const { json: settings } = await as('viewer', 'GET', '/targets/shop/settings');
    expect(settings.items.find(({ name }: { name: string }) => name === 'shared_buffers')).toMatchObject({
      unit: '8kB',
      context: 'postmaster',
      pendingRestart: false,
    });
    expect((await as('operator', 'POST', '/targets/shop/check')).json.checkedAt).not.toBe(
      added.json.checkedAt,
    );
    expect((await as('viewer', 'GET', '/targets/shop/workload')).json).toEqual({ captures: [] });
    expect((await as('admin', 'DELETE', '/targets/shop')).json).toEqual({ removed: true });
    expect((await as('viewer', 'GET', '/targets')).json.items).toEqual([]);
  });

  it('say every issue of a bad body with its path', async () => {
    const { status, json: body } = await as('admin', 'POST', '/targets', {
      url: 7,
      production: 'yes',
      extra: 1,
    });
    expect([status, body.error.code]).toEqual([400, 'INVALID_INPUT']);
    const paths = body.error.issues.map(({ path }: { path: string }) => path);
    expect(paths).toEqual(expect.arrayContaining(['name', 'url', 'production']));
    expect(body.error.message).toContain('extra');
  });

  it('whose server is away answer with the reason', async () => {
    const url = 'postgresql://u:pw@127.0.0.1:1/x';
    const added = await as('admin', 'POST', '/targets', { name: 'away', url });
    expect(added.json.state).toBe('UNHEALTHY');
    const settings = await as('viewer', 'GET', '/targets/away/settings');
    expect([settings.status, settings.json.error.code]).toEqual([502, 'CONNECT_REFUSED']);
    await as('admin', 'DELETE', '/targets/away');
  });
});

describe('runs', () => {
  it('are validated, submitted, shown, cancelled, resumed and run again', async () => {
    const bad = await as('viewer', 'POST', '/dags/validate', { document: { commands: [] } });
    expect(bad.json).toEqual({ valid: false, issues: [{ path: 'name', message: 'is missing', line: 1 }] });
    const good = await as('viewer', 'POST', '/dags/validate', { document });
    expect(good.json).toMatchObject({ valid: true, issues: [], dag: { name: 'nightly' } });

    const made = await as('operator', 'POST', '/runs', { document, parameters: { x: 1 } });
    expect(made.status).toBe(201);
    const { id } = made.json;
    expect(made.json).toMatchObject({
      state: 'PENDING',
      createdBy: 'a operator',
      parameters: { x: 1 },
      commandCounts: { total: 2, succeeded: 0, failed: 0, running: 0 },
      commands: [{ name: 'a', state: 'PENDING', maxAttempts: 2, attempts: [] }, { name: 'b' }],
    });
    const start = new Date(Date.now() - 5_000);
    const error = { code: 'LOST', message: 'the worker was lost' };
    await api.control.db
      .insertInto('attempts')
      .values({
        id: `${id}/a/1`,
        run_id: id,
        command: 'a',
        number: 1,
        state: 'LOST',
        input: '{}',
        error: json(error),
        started_at: start,
      })
      .execute();
    await api.control.db
      .updateTable('commands')
      .set({
        state: 'FAILED',
        error: json(error),
        started_at: start,
        ended_at: new Date(start.getTime() + 1_500),
      })
      .where('run_id', '=', id)
      .where('name', '=', 'a')
      .execute();
    const { json: shown } = await as('viewer', 'GET', `/runs/${id}`);
    expect(shown.commands[0]).toMatchObject({
      seconds: 1.5,
      error,
      attempts: [{ number: 1, state: 'LOST', error }],
    });
    const { json: found } = await as('viewer', 'GET', `/runs?q=${id}&state=PENDING`);
    expect(found.items).toHaveLength(1);
    expect(found.items[0].commands).toEqual({ total: 2, succeeded: 0, failed: 1, running: 0 });

    expect((await as('operator', 'POST', `/runs/${id}/cancel`)).json.cancelRequested).toBe(true);
    expect((await as('operator', 'POST', `/runs/${id}/resume`)).status).toBe(200);
    const again = await as('operator', 'POST', `/runs/${id}/rerun`, { parameters: { x: 2 } });
    expect([again.status, again.json.parameters]).toEqual([201, { x: 2 }]);
    expect((await as('operator', 'POST', `/runs/${id}/rerun`)).status).toBe(201);
    expect(await lastAudit()).toMatchObject({ action: 'run.rerun', subject: id, outcome: 'done' });
  });

  it('are listed in pages without gap or repetition', async () => {
    for (let i = 0; i < 7; i++)
      await as('operator', 'POST', '/runs', { document: { name: `page ${i}`, commands: [] } });
    const names: string[] = [];
    let cursor = '';
    do {
      const { json: page } = await as(
        'viewer',
        'GET',
        `/runs?q=page%20&limit=3${cursor && `&cursor=${cursor}`}`,
      );
      names.push(...page.items.map(({ name }: { name: string }) => name));
      cursor = page.next ?? '';
    } while (cursor);
    expect(names).toEqual([6, 5, 4, 3, 2, 1, 0].map((i) => `page ${i}`));
    expect((await as('viewer', 'GET', '/runs?limit=501')).status).toBe(400);
    expect((await as('viewer', 'GET', '/runs?q=%25')).json.items).toEqual([]);
  });

  it('tell their events in pages', async () => {
    const { id } = (await as('operator', 'POST', '/runs', { document })).json;
    const rows = ['x', 'y', 'z'].map((message) => ({ run_id: id, kind: 'log' as const, message }));
    await api.control.db.insertInto('events').values(rows).execute();
    const { json: first } = await as('viewer', 'GET', `/runs/${id}/events?limit=2`);
    expect(first.items.map(({ message }: { message: string }) => message)).toEqual(['x', 'y']);
    const { json: second } = await as('viewer', 'GET', `/runs/${id}/events?after=${first.next}`);
    expect(second.items.map(({ message }: { message: string }) => message)).toEqual(['z']);
    expect(second.next).toBeUndefined();
  });
});

describe('the fleet', () => {
  it('is shown, and told what to do', async () => {
    const { db } = api.control;
    const { id: runId } = (await as('operator', 'POST', '/runs', { document })).json;
    await db
      .insertInto('workers')
      .values({
        id: 'wrk_1',
        kind: 'exploratory',
        name: 'w',
        how: 'local',
        info: json({ host: 'h', cores: 2 }),
        launch: json({ argv: ['x'] }),
        state: 'READY',
      })
      .execute();
    await db
      .insertInto('attempts')
      .values({
        id: `${runId}/a/1`,
        run_id: runId,
        command: 'a',
        number: 1,
        worker_id: 'wrk_1',
        state: 'RUNNING',
        input: '{}',
      })
      .execute();
    await db
      .insertInto('clones')
      .values({
        id: 'cln_1',
        worker_id: 'wrk_1',
        state: 'READY',
        bytes: 5_000_000_000,
        limits: '{}',
        connection: json({ host: '127.0.0.1', port: 5433, user: 'u', database: 'd' }),
      })
      .execute();
    const { json: workers } = await as('viewer', 'GET', '/workers');
    expect(workers.items[0]).toMatchObject({
      id: 'wrk_1',
      info: { host: 'h', cores: 2 },
      running: [{ runId, command: 'a' }],
    });
    expect(workers.items[0].launch).toBeUndefined();
    expect((await as('viewer', 'GET', '/clones')).json.items[0]).toMatchObject({
      id: 'cln_1',
      bytes: 5_000_000_000,
      connection: { port: 5433 },
    });
    const url = api.control.databaseUrl;
    const target = (await as('admin', 'POST', '/targets', { name: 'captured', url })).json;
    await db
      .insertInto('changes')
      .values({
        id: 'chg_1',
        target_id: target.id,
        server: 'primary',
        setting: 'log_statement',
        before: json({ autoConf: null, value: 'none', source: 'default' }),
        ours: 'all',
        reason: 'capture',
      })
      .execute();
    for (const path of ['/workers/wrk_1/drain', '/workers/wrk_1/stop', '/clones/cln_1/stop']) {
      expect((await as('operator', 'POST', path)).status).toBe(200);
    }
    const restored = await as('operator', 'POST', '/changes/restore', { targetId: target.name });
    expect(restored.json.items[0]).toMatchObject({ setting: 'log_statement', state: 'INTENDED' });
    expect(api.control.fleetCalls).toEqual([
      'drain wrk_1',
      'stop wrk_1',
      'stop clone cln_1',
      `restore ${target.id}`,
    ]);
    expect((await as('viewer', 'GET', '/changes?state=INTENDED')).json.items).toHaveLength(1);
    expect((await as('viewer', 'GET', '/changes?state=RESTORED')).json.items).toEqual([]);

    const lease = new Date(Date.now() + 60_000);
    await db
      .insertInto('control_planes')
      .values({ id: api.control.id, host: 'h', pid: 1, version: '1', address: '{}', lease_expires_at: lease })
      .execute();
    expect((await as('viewer', 'GET', '/control-planes')).json).toMatchObject([{ host: 'h', self: true }]);
    const { json: overview } = await as('viewer', 'GET', '/overview');
    expect(overview).toMatchObject({
      workers: { ready: 1, lost: 0 },
      clones: { running: 1 },
      openChanges: [{ id: 'chg_1' }],
    });
    expect(overview.recentRuns).toHaveLength(10);
    expect(overview.targets[0].openChanges).toHaveLength(1);
  });

  it('is counted for Prometheus, also what is at zero', async () => {
    const { text, headers } = await as('viewer', 'GET', '/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toMatch(/^# TYPE otto_runs gauge$/m);
    expect(text).toMatch(/^otto_workers\{state="READY"\} 1$/m);
    expect(text).toMatch(/^otto_clones\{state="LOST"\} 0$/m);
    expect(text).toMatch(/^otto_open_changes\{target="captured"\} 1$/m);
    expect(text).toMatch(/^otto_event_loop_delay_seconds\{quantile="0.99"\} \d/m);
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(
        /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="([^"\\]|\\.)*"(,[a-z_]+="([^"\\]|\\.)*")*\})? -?[\d.e+-]+)$/,
      );
    }
  });
});

describe('catalogues, schedules and tokens', () => {
  it('describe what a DAG may consist of, whatever JSON Schema cannot say', async () => {
    const { json: types } = await as('viewer', 'GET', '/command-types');
    expect(types).toMatchObject([{ type: 'WAIT', place: 'control', defaultTimeoutMs: 1_000 }]);
    expect(types[0].configSchema.properties.seconds).toMatchObject({ type: 'number', default: 1 });
    expect((await as('viewer', 'GET', '/collectors')).json[0].configSchema.required).toEqual(['schema']);
  });

  it('are made, changed and removed', async () => {
    const made = await as('operator', 'POST', '/schedules', {
      name: 's',
      cron: '0 3 * * *',
      timeZone: 'Asia/Tokyo',
      document,
    });
    expect(made.json).toMatchObject({ name: 's', enabled: true, overlap: 'skip', timeZone: 'Asia/Tokyo' });
    expect(new Date(made.json.nextAt).getUTCHours()).toBe(18);
    const wrong = await as('operator', 'POST', '/schedules', { name: 't', cron: 'now', document });
    expect([wrong.status, wrong.json.error.issues[0].path]).toEqual([400, 'cron']);
    const off = await as('operator', 'PATCH', `/schedules/${made.json.id}`, { enabled: false });
    expect([off.json.enabled, off.json.nextAt]).toEqual([false, undefined]);
    expect((await as('operator', 'DELETE', `/schedules/${made.json.id}`)).json).toEqual({ removed: true });

    const issued = await as('admin', 'POST', '/tokens', { name: 'ci', role: 'viewer', expiresInDays: 30 });
    expect(issued.json.token).toMatch(/^otto_/);
    expect(JSON.stringify((await as('admin', 'GET', '/tokens')).json)).not.toContain(issued.json.token);
    expect((await api.call('GET', '/session', { token: issued.json.token })).json.actor).toBe('ci');
    const revoked = await as('admin', 'DELETE', `/tokens/${issued.json.id}`);
    expect(revoked.json.revokedAt).toBeDefined();
    expect((await api.call('GET', '/session', { token: issued.json.token })).status).toBe(401);
    const { json: audit } = await as('viewer', 'GET', `/audit?q=${issued.json.id}`);
    expect(audit.items.map(({ action }: { action: string }) => action)).toEqual([
      'token.revoke',
      'token.issue',
    ]);
    const { json: page } = await as('viewer', 'GET', '/audit?limit=2');
    const { json: next } = await as('viewer', 'GET', `/audit?limit=2&cursor=${page.next}`);
    expect(next.items[0].id).toBeLessThan(page.items[1].id);
    expect((await as('viewer', 'GET', '/audit?cursor=x')).status).toBe(400);
  });
});
