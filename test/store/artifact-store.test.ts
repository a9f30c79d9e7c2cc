import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/base/index.js';
import { startTestPostgres, type TestPostgres, testFolder } from '../../src/postgres/testing/index.js';
import {
  ArtifactStore,
  type Database,
  migrate,
  type NewArtifact,
  openDatabase,
  openPool,
} from '../../src/store/index.js';

let postgres: TestPostgres;
let pool: pg.Pool;
let db: Database;
let root: string;
let directory: string;
let store: ArtifactStore;
let now = Date.parse('2026-03-01T12:00:00Z');

const clock = { now: () => now, monotonic: () => now, sleep: async () => {} };
const text = Buffer.from('{"rows": 3}\n'.repeat(1000));
const draft: NewArtifact = {
  kind: 'catalog',
  name: 'catalog.json',
  format: 'json',
  rows: 3,
  manifest: { columns: ['a'] },
  provenance: { version: '1.2.3', runId: 'run_1', command: 'collect' },
};
const promise = (bytes: Buffer) => ({ bytes: bytes.length, sha256: sha256(bytes) });

async function* chunks(bytes: Buffer, size = 700): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function files(folder = directory): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return names.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

beforeAll(async () => {
  postgres = await startTestPostgres();
  pool = openPool(postgres.url);
  await migrate(pool);
  db = openDatabase(pool);
});
afterAll(async () => {
  await pool?.end();
  await postgres?.stop();
});
beforeEach(async () => {
  root = await testFolder();
  directory = join(root, 'store');
  await db.deleteFrom('artifacts').execute();
  store = new ArtifactStore({ db, directory, retentionDays: 7, clock });
  return () => rm(root, { recursive: true, force: true });
});

describe('put and open', () => {
  it('stores a file with its row and its manifest beside it', async () => {
    const row = await store.put(chunks(text), draft, promise(text));
    expect(row).toMatchObject({ bytes: text.length, rows: 3, run_id: 'run_1', sha256: sha256(text) });
    expect(row.manifest).toMatchObject({
      columns: ['a'],
      kind: 'catalog',
      schemaVersion: 1,
      rows: 3,
      bytes: text.length,
      provenance: { version: '1.2.3', runId: 'run_1', storedAt: '2026-03-01T12:00:00.000Z' },
    });
    const { path, stream } = await store.open(row.id);
    expect(await readFile(path)).toEqual(text);
    const part: Buffer[] = [];
    for await (const chunk of stream({ start: 2, end: 5 })) part.push(chunk as Buffer);
    expect(Buffer.concat(part).toString()).toBe('rows');
    const manifest = JSON.parse(await readFile(`${path}.manifest.json`, 'utf8'));
    expect(manifest).toMatchObject({ id: row.id, name: 'catalog.json', sha256: sha256(text) });
  });

  it.each([
    [
      'fewer bytes',
      { bytes: text.length + 1, sha256: sha256(text) },
      /12000 bytes came, 12001 were announced/,
    ],
    ['more bytes', { bytes: text.length - 1, sha256: sha256(text) }, /more than the 11999 bytes announced/],
    ['another checksum', { bytes: text.length, sha256: sha256('x') }, /SHA-256/],
  ])('keeps nothing of a file with %s than announced', async (_, expected, message) => {
    await expect(store.put(chunks(text), draft, expected)).rejects.toThrow(message);
    expect(await files()).toEqual([]);
    expect(await db.selectFrom('artifacts').selectAll().execute()).toEqual([]);
  });

  it('keeps nothing of a transfer that breaks off', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield text.subarray(0, 100);
      throw new Error('connection lost');
    }
    await expect(store.put(broken(), draft, promise(text))).rejects.toThrow('connection lost');
    expect(await files()).toEqual([]);
  });

  it.each([
    [{ kind: '../etc' }],
    [{ kind: 'incoming' }],
    [{ kind: 'a/b' }],
    [{ format: '../../x' }],
    [{ format: '' }],
    [{ name: '../../passwd' }],
    [{ name: '..' }],
    [{ name: 'a\\b' }],
    [{ name: 'a\nb' }],
    [{ name: '' }],
  ])('refuses %j, which would leave its folder or break a header', async (bad) => {
    await expect(store.put(chunks(text), { ...draft, ...bad }, promise(text))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    expect(await readdir(root)).toEqual([]);
  });

  it('does not follow a location in the database out of its folder', async () => {
    const row = await store.put(chunks(text), draft, promise(text));
    await db
      .updateTable('artifacts')
      .set({ location: '../../etc/hostname' })
      .where('id', '=', row.id)
      .execute();
    await expect(store.open(row.id)).rejects.toMatchObject({ code: 'OUTSIDE_ROOT' });
    await expect(store.open('art_none')).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND' });
  });

  it('reports a file that is gone, cut or changed', async () => {
    const row = await store.put(chunks(text), draft, promise(text));
    const { path } = await store.open(row.id);
    const other = Buffer.from(text);
    other[17] = 65;
    await writeFile(path, other);
    await expect(store.open(row.id)).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT' });
    await appendFile(path, 'x');
    await expect(store.open(row.id)).rejects.toThrow(/12001 bytes, expected 12000/);
    await rm(path);
    await expect(store.open(row.id)).rejects.toThrow(/lost its file/);
    await writeFile(path, text);
    expect((await store.open(row.id)).row.id).toBe(row.id);
  });
});

describe('sweep and remove', () => {
  it('deletes what expired, once, whoever sweeps', async () => {
    const old = await store.put(chunks(text), draft, promise(text));
    const kept = await store.put(
      chunks(text),
      { ...draft, expiresAt: new Date(now + 30 * 86_400_000) },
      promise(text),
    );
    now += 8 * 86_400_000;
    const second = new ArtifactStore({ db, directory, clock });
    const swept = await Promise.all([store.sweep(), second.sweep(), store.sweep()]);
    expect(swept.reduce((sum, { expired }) => sum + expired, 0)).toBe(1);
    await expect(store.open(old.id)).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND' });
    expect((await store.open(kept.id)).row.id).toBe(kept.id);
    expect((await files()).sort()).toEqual([`${kept.id}.json`, `${kept.id}.json.manifest.json`]);
  });

  it('takes leftovers older than an hour and leaves what may still become an artifact', async () => {
    const row = await store.put(chunks(text), draft, promise(text));
    const plant = async (name: string, ageMs: number) => {
      const path = join(directory, name);
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(path, 'x');
      await utimes(path, new Date(now - ageMs), new Date(now - ageMs));
    };
    await plant('incoming/art_old.part', 2 * 3_600_000);
    await plant('incoming/art_new.part', 60_000);
    await plant('catalog/art_orphan.json', 2 * 3_600_000);
    await plant('catalog/art_orphan.json.manifest.json', 2 * 3_600_000);
    await plant('catalog/art_young.json', 60_000);
    const { path } = await store.open(row.id);
    await utimes(path, new Date(0), new Date(0));
    expect(await store.sweep()).toEqual({ expired: 0, orphans: 3 });
    expect(await store.sweep()).toEqual({ expired: 0, orphans: 0 });
    expect((await files()).sort()).toEqual(
      [`${row.id}.json`, `${row.id}.json.manifest.json`, 'art_new.part', 'art_young.json'].sort(),
    );
  });

  it('removes file, manifest and row', async () => {
    const row = await store.put(chunks(text), draft, promise(text));
    await store.remove(row.id);
    expect(await files()).toEqual([]);
    await expect(store.remove(row.id)).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND' });
  });
});

describe('a full disk', () => {
  let mount: string;
  let reason = process.getuid?.() === 0 ? '' : 'only root can mount a small file system';
  beforeAll(async () => {
    mount = await testFolder();
    if (reason === '') {
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount], { stdio: 'pipe' });
      } catch (error) {
        reason = `a tmpfs cannot be mounted here: ${(error as Error).message}`;
      }
    }
    return async () => {
      if (reason === '') execFileSync('umount', [mount]);
      await rm(mount, { recursive: true, force: true });
    };
  });

  it('is said in words and leaves no half file', async ({ skip }) => {
    skip(reason !== '', reason);
    const small = new ArtifactStore({ db, directory: join(mount, 'store'), clock });
    const big = randomBytes(2 * 1024 * 1024);
    await expect(small.put(chunks(big, 65_536), draft, promise(big))).rejects.toMatchObject({
      code: 'STORE_FULL',
    });
    // Fits when it begins; the disk fills up under it.
    const most = randomBytes(900_000);
    async function* racing(): AsyncGenerator<Buffer> {
      yield most.subarray(0, 1000);
      await writeFile(join(mount, 'other'), randomBytes(400_000));
      yield* chunks(most.subarray(1000), 65_536);
    }
    await expect(small.put(racing(), draft, promise(most))).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(await files(join(mount, 'store'))).toEqual([]);
  });
});
