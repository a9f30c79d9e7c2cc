import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../postgres/testing/index.js';
import { describeApi } from './index.js';
import { startTestServer, type TestServer } from './testing/index.js';

let api: TestServer;
let bare: TestServer;
let root: string;

beforeAll(async () => {
  root = await testFolder();
  await mkdir(join(root, 'web/assets'), { recursive: true });
  await writeFile(join(root, 'web/index.html'), '<!doctype html><title>otto</title>');
  await writeFile(join(root, 'web/assets/main-1a2b.js'), 'export {};');
  await writeFile(join(root, 'web/favicon.svg'), '<svg/>');
  await writeFile(join(root, 'secret.txt'), 'secret');
  api = await startTestServer({ webRoot: join(root, 'web') });
  bare = await startTestServer({ again: api.control, webRoot: join(root, 'nothing') });
});
afterAll(async () => {
  await bare?.stop();
  await api?.stop();
  await rm(root, { recursive: true, force: true });
});

const page = (path: string, headers: Record<string, string> = { accept: 'text/html' }, server = api) =>
  server.call('GET', `/${path}`, { headers });

describe('the web UI', () => {
  it('is served without a token, its own addresses as its first page', async () => {
    for (const path of ['/', '/runs/run_1', '/targets/shop?from=1']) {
      const { status, text, headers } = await page(path);
      expect([path, status, text]).toEqual([path, 200, '<!doctype html><title>otto</title>']);
      expect(headers['cache-control']).toBe('public, max-age=0');
      expect(headers['content-type']).toMatch(/^text\/html/);
    }
    expect((await page('/runs/run_1', { accept: 'application/json' })).status).toBe(404);
  });

  it('keeps files whose names hold their hash for a year', async () => {
    const { status, headers } = await page('/assets/main-1a2b.js');
    expect([status, headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable']);
    expect((await page('/favicon.svg')).headers['content-type']).toBe('image/svg+xml');
    expect((await page('/assets/gone.js')).status).toBe(404);
  });

  it('never serves what lies outside its folder', async () => {
    for (const path of [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/..%5csecret.txt',
      '/%00',
      '/%zz',
    ]) {
      const { status, text } = await page(path);
      expect([path, text === 'secret']).toEqual([path, false]);
      expect([path, status < 500]).toEqual([path, true]);
    }
  });

  it('leaves the addresses of the API to the API', async () => {
    for (const path of ['/api', '/api/v2/runs', '/api/v1/none']) {
      const { status, json } = await page(path);
      expect([path, status, json?.error.code]).toEqual([path, 404, 'ROUTE_NOT_FOUND']);
    }
  });

  it('says how to build it when it is missing', async () => {
    const { status, text } = await page('/', undefined, bare);
    expect(status).toBe(200);
    expect(text).toContain('npm run build');
  });
});

describe('the description of the API', () => {
  it('is OpenAPI 3.1, the same with and without a control plane', async () => {
    const served = await api.call('GET', '/openapi.json', { token: api.tokens.viewer });
    expect(served.json).toEqual(JSON.parse(JSON.stringify(await describeApi('0.0.0-test'))));
    expect(served.json.openapi).toBe('3.1.0');
    expect(Object.keys(served.json.components.schemas)).toEqual(
      expect.arrayContaining(['RunDetail', 'TargetView']),
    );
    for (const [path, methods] of Object.entries<Record<string, { responses: object }>>(served.json.paths)) {
      for (const [method, { responses }] of Object.entries(methods)) {
        expect(Object.keys(responses), `${method} ${path}`).toEqual(expect.arrayContaining(['4XX', '5XX']));
      }
    }
  });
});
