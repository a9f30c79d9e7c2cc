import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestFile, sha256 } from '../base/index.js';
import { type Cell, withDuckDb } from '../duckdb/index.js';
import { testFolder } from '../postgres/testing/index.js';
import type { ArtifactRow } from '../store/index.js';
import { eventColumns } from '../workload/index.js';
import { startTestServer, type TestServer } from './testing/index.js';

let api: TestServer;
let folder: string;

beforeAll(async () => {
  api = await startTestServer({ limits: { requestsPerMinute: 100_000 } });
  folder = await testFolder();
});
afterAll(async () => {
  await api?.stop();
  await rm(folder, { recursive: true, force: true });
});

const as = (role: 'viewer' | 'operator' | 'admin', method: string, path: string, body?: unknown) =>
  api.call(method, path, { token: api.tokens[role], body });

describe('artifacts', () => {
  const put = (bytes: Buffer, more: object = {}): Promise<ArtifactRow> =>
    api.control.artifacts.put(
      (async function* () {
        yield bytes;
      })(),
      {
        kind: 'report',
        name: 'Zeit "für" µ.json',
        format: 'json',
        manifest: {},
        provenance: { version: '1' },
        ...more,
      },
      { bytes: bytes.length, sha256: sha256(bytes) },
    );

  it('are downloaded whole and in part', async () => {
    const row = await put(Buffer.from(JSON.stringify([{ a: 1 }, { a: 2, b: null }, 7])));
    const whole = await as('viewer', 'GET', `/artifacts/${row.id}/content`);
    expect(whole.status).toBe(200);
    expect(whole.headers['content-disposition']).toBe(
      `attachment; filename="Zeit__f_r___.json"; filename*=UTF-8''Zeit%20%22f%C3%BCr%22%20%C2%B5.json`,
    );
    expect(sha256(whole.text)).toBe(row.sha256);
    const part = await api.call('GET', `/artifacts/${row.id}/content`, {
      token: api.tokens.viewer,
      headers: { range: 'bytes=1-7' },
    });
    expect([part.status, part.text, part.headers['content-range']]).toEqual([
      206,
      '{"a":1}',
      `bytes 1-7/${row.bytes}`,
    ]);
    const beyond = await api.call('GET', `/artifacts/${row.id}/content`, {
      token: api.tokens.viewer,
      headers: { range: 'bytes=9999-' },
    });
    expect(beyond.status).toBe(416);
    const { json: rows } = await as('viewer', 'GET', `/artifacts/${row.id}/rows?offset=1&limit=5`);
    expect(rows).toMatchObject({ items: [{ a: 2, b: null }, { value: 7 }], total: 3 });
  });

  it('that are damaged are not handed out', async () => {
    const row = await put(Buffer.from('[1,2,3]'));
    await rm((await api.control.artifacts.open(row.id)).path);
    const answer = await as('viewer', 'GET', `/artifacts/${row.id}/content`);
    expect([answer.status, answer.json.error.code]).toEqual([500, 'ARTIFACT_CORRUPT']);
    expect((await as('admin', 'DELETE', `/artifacts/${row.id}`)).json).toEqual({ deleted: true });
    expect((await as('viewer', 'GET', `/artifacts/${row.id}`)).status).toBe(404);
  });

  it('of Parquet are read by rows; a capture is summed up by template', async () => {
    const file = join(folder, 'workload.parquet');
    const startUs = Date.parse('2026-03-01T00:00:00Z') * 1000;
    await withDuckDb({}, async (db) => {
      const writer = await db.writer(eventColumns);
      for (let i = 0; i < 20; i++) {
        const values: Record<string, Cell> = {
          session: 's1',
          line: i,
          transaction: i,
          started_at: startUs + i * 1_000_000,
          duration_us: 1_000 * (i + 1),
          kind: 'select',
          protocol: 'simple',
          statement_name: null,
          fingerprint: i % 2 ? 'odd' : 'even',
          template: 'select $1',
          sql: `select ${i}`,
          parameters: [],
          prepared_sql: null,
          rows: 1,
          outcome: 'ok',
          sqlstate: null,
          message: null,
          user: 'u',
          database: 'd',
          application: '',
          pid: 1,
        };
        writer.append(Object.keys(eventColumns).map((name) => values[name] ?? null));
      }
      await writer.finish(file);
    });
    const target = (await as('admin', 'POST', '/targets', { name: 'captured', url: api.control.databaseUrl }))
      .json;
    const row = await api.control.artifacts.put(
      createReadStream(file),
      {
        kind: 'workload',
        name: 'workload.parquet',
        format: 'parquet',
        rows: 20,
        manifest: { schemaVersion: 1, method: 'log', counts: { events: 20, templates: 2 } },
        provenance: { version: '1', targetId: target.id },
      },
      await digestFile(file),
    );
    const { json: rows } = await as('viewer', 'GET', `/artifacts/${row.id}/rows?limit=2&offset=3`);
    expect(rows.total).toBe(20);
    expect(rows.items.map(({ sql }: { sql: string }) => sql)).toEqual(['select 3', 'select 4']);
    expect(rows.columns[0]).toEqual({ name: 'session', type: 'VARCHAR' });

    const { json: capture } = await as('viewer', 'GET', `/captures/${row.id}`);
    expect(capture.artifact.summary).toEqual({ method: 'log', events: 20, templates: 2 });
    expect(capture.templates.map(({ calls }: { calls: number }) => calls)).toEqual([10, 10]);
    expect(capture.series.count.reduce((sum: number, count: number) => sum + count, 0)).toBe(20);
    const { json: workload } = await as('viewer', 'GET', '/targets/captured/workload');
    expect(workload.latest).toMatchObject({ artifactId: row.id, templates: capture.templates });
    expect((await as('viewer', 'GET', '/captures')).json.items[0].id).toBe(row.id);
    expect((await as('viewer', 'GET', '/targets')).json.items[0].lastCapture.id).toBe(row.id);
    const other = await put(Buffer.from('{}'));
    expect((await as('viewer', 'GET', `/captures/${other.id}`)).status).toBe(400);
  });
});
