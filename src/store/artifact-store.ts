import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  type Clock,
  digestFile,
  freeBytes,
  InputError,
  inside,
  type Logger,
  newId,
  OttoError,
  silentLogger,
  syncDirectory,
  systemClock,
  writeJson,
} from '../base/index.js';
import { type Database, json } from './database.js';
import type { ArtifactRow } from './tables.js';

/** Half-written files lie here; a rename away from it is what makes an artifact. */
const incoming = 'incoming';
/** A file younger than this may be about to get its row. */
const orphanAgeMs = 3_600_000;

export interface ArtifactStoreOptions {
  db: Database;
  /** The store's folder; made when missing. All control planes of one database share it. */
  directory: string;
  /** How long an artifact is kept that does not say so itself; for ever when absent. */
  retentionDays?: number;
  logger?: Logger;
  clock?: Clock;
}

/** A file to be kept, with what is known of it and where it came from. */
export interface NewArtifact {
  kind: string;
  /** File name shown to people, such as `workload.parquet`. */
  name: string;
  format: string;
  rows?: number;
  manifest: Record<string, unknown>;
  provenance: {
    targetId?: string;
    runId?: string;
    command?: string;
    /** Of otto. */
    version: string;
    /** Artifacts that it was made from. */
    inputs?: string[];
  };
  expiresAt?: Date;
}

export interface StoredArtifact {
  row: ArtifactRow;
  /** Absolute; for reading only. */
  path: string;
  stream: (range?: { start: number; end: number }) => Readable;
}

/** Artifacts as files in a local folder, with a row each. A row stands for a whole, verified file. */
export class ArtifactStore {
  readonly directory: string;
  readonly #db: Database;
  readonly #retentionDays: number | undefined;
  readonly #logger: Logger;
  readonly #clock: Clock;
  /** Files whose checksum was found right, by artifact: what the file system said of them then. */
  readonly #verified = new Map<string, string>();

  constructor(options: ArtifactStoreOptions) {
    this.directory = options.directory;
    this.#db = options.db;
    this.#retentionDays = options.retentionDays;
    this.#logger = options.logger ?? silentLogger;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Takes a file in. Resolves once it is whole, verified against `expected`, on the disk, and has its row.
   * @throws ARTIFACT_MISMATCH when size or checksum differ, STORE_FULL when the disk is; nothing is left behind.
   */
  async put(
    stream: AsyncIterable<Uint8Array>,
    artifact: NewArtifact,
    expected: { bytes: number; sha256: string },
  ): Promise<ArtifactRow> {
    checkNames(artifact);
    const id = newId('art');
    const location = `${artifact.kind}/${id}.${artifact.format}`;
    const path = inside(this.directory, location);
    const temporary = inside(this.directory, incoming, `${id}.part`);
    const manifestPath = manifestOf(path);
    let published = false;
    try {
      await mkdir(join(this.directory, incoming), { recursive: true });
      await mkdir(join(this.directory, artifact.kind), { recursive: true });
      await this.#checkSpace(expected.bytes);
      await receive(stream, temporary, artifact.name, expected);
      const now = this.#clock.now();
      const manifest = {
        ...artifact.manifest,
        kind: artifact.kind,
        schemaVersion: artifact.manifest.schemaVersion ?? 1,
        ...(artifact.rows !== undefined && { rows: artifact.rows }),
        bytes: expected.bytes,
        sha256: expected.sha256,
        provenance: { ...artifact.provenance, storedAt: new Date(now).toISOString() },
      };
      await writeJson(manifestPath, { id, name: artifact.name, format: artifact.format, ...manifest });
      await rename(temporary, path);
      published = true;
      await syncDirectory(join(this.directory, artifact.kind));
      const row = await this.#db
        .insertInto('artifacts')
        .values({
          id,
          kind: artifact.kind,
          name: artifact.name,
          format: artifact.format,
          bytes: expected.bytes,
          rows: artifact.rows,
          sha256: expected.sha256,
          location,
          manifest: json(manifest),
          target_id: artifact.provenance.targetId,
          run_id: artifact.provenance.runId,
          command: artifact.provenance.command,
          created_at: new Date(now),
          expires_at: artifact.expiresAt ?? this.#expiry(now),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      this.#verified.set(id, await fingerprint(path));
      return row;
    } catch (error) {
      // A connection lost while the row was written may have written it: then the file must stay, else sweep() takes it.
      if (!published) await Promise.all([temporary, manifestPath].map((file) => rm(file, { force: true })));
      throw this.#explain(error);
    }
  }

  /**
   * An artifact for reading. The checksum is verified the first time, and again whenever the file looks touched.
   * @throws ARTIFACT_NOT_FOUND; ARTIFACT_CORRUPT when the file is gone or is not what was stored.
   */
  async open(id: string): Promise<StoredArtifact> {
    const row = await this.#db
      .selectFrom('artifacts')
      .selectAll()
      .where('id', '=', id)
      .where('deleted_at', 'is', null)
      .executeTakeFirst();
    if (!row) throw new OttoError('ARTIFACT_NOT_FOUND', `there is no artifact ${id}`);
    const path = inside(this.directory, row.location);
    await this.#verify(row, path);
    return { row, path, stream: (range) => createReadStream(path, range) };
  }

  /** Marks it deleted, then deletes the file: a crash in between leaves a file that sweep() takes. */
  async remove(id: string): Promise<void> {
    const row = await this.#db
      .updateTable('artifacts')
      .set({ deleted_at: new Date(this.#clock.now()) })
      .where('id', '=', id)
      .where('deleted_at', 'is', null)
      .returning('location')
      .executeTakeFirst();
    if (!row) throw new OttoError('ARTIFACT_NOT_FOUND', `there is no artifact ${id}`);
    await this.#unlink(row.location);
    this.#verified.delete(id);
  }

  /**
   * Deletes what has expired, what was left half written, and files without a row that are older than an hour.
   * Repeating it, or doing it at several control planes at once, is harmless.
   */
  async sweep(): Promise<{ expired: number; orphans: number }> {
    const now = this.#clock.now();
    const expired = await this.#db
      .updateTable('artifacts')
      .set({ deleted_at: new Date(now) })
      .where('deleted_at', 'is', null)
      .where('expires_at', '<=', new Date(now))
      .returning(['id', 'location'])
      .execute();
    for (const { id, location } of expired) {
      await this.#unlink(location);
      this.#verified.delete(id);
    }
    const orphans = await this.#sweepOrphans(now);
    if (expired.length + orphans > 0) {
      this.#logger.info({ expired: expired.length, orphans }, 'swept the artifact store');
    }
    return { expired: expired.length, orphans };
  }

  async #sweepOrphans(now: number): Promise<number> {
    // Files first, rows second: a file that gets its row in between is then seen to have one.
    const old = await this.#oldFiles(now - orphanAgeMs);
    if (old.length === 0) return 0;
    const rows = await this.#db
      .selectFrom('artifacts')
      .select('location')
      .where('deleted_at', 'is', null)
      .execute();
    const wanted = new Set(rows.flatMap(({ location }) => [location, manifestOf(location)]));
    const orphans = old.filter((location) => !wanted.has(location));
    for (const location of orphans) await rm(inside(this.directory, location), { force: true });
    return orphans.length;
  }

  async #oldFiles(before: number): Promise<string[]> {
    const found: string[] = [];
    for (const folder of await entries(this.directory)) {
      if (!folder.isDirectory()) continue;
      for (const file of await entries(join(this.directory, folder.name))) {
        if (!file.isFile()) continue;
        const location = `${folder.name}/${file.name}`;
        const info = await stat(join(this.directory, location)).catch(gone);
        if (info && info.mtimeMs < before) found.push(location);
      }
    }
    return found;
  }

  async #verify(row: ArtifactRow, path: string): Promise<void> {
    const corrupt = (finding: string) =>
      new OttoError('ARTIFACT_CORRUPT', `artifact ${row.id} (${row.name}) ${finding}`, {
        where: row.location,
        hint: 'Restore the file from a backup of the artifact store, or delete the artifact and make it again.',
      });
    const info = await stat(path).catch(gone);
    if (!info) throw corrupt('has lost its file');
    if (info.size !== row.bytes) throw corrupt(`has ${info.size} bytes, expected ${row.bytes}`);
    const found = await fingerprint(path);
    if (this.#verified.get(row.id) === found) return;
    const { sha256 } = await digestFile(path);
    if (sha256 !== row.sha256) throw corrupt('has been changed: its SHA-256 differs');
    this.#verified.set(row.id, found);
  }

  async #checkSpace(bytes: number): Promise<void> {
    const free = await freeBytes(this.directory);
    if (bytes > free) {
      throw new OttoError('STORE_FULL', `the artifact needs ${bytes} bytes, ${free} are free`, {
        where: this.directory,
        hint: 'Free space on that file system, or shorten the retention.',
      });
    }
  }

  async #unlink(location: string): Promise<void> {
    const path = inside(this.directory, location);
    await rm(path, { force: true });
    await rm(manifestOf(path), { force: true });
  }

  #expiry(now: number): Date | undefined {
    return this.#retentionDays === undefined ? undefined : new Date(now + this.#retentionDays * 86_400_000);
  }

  #explain(error: unknown): unknown {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
    return new OttoError('STORE_FULL', 'the disk is full: the artifact was not stored', {
      where: this.directory,
      hint: 'Free space on that file system, or shorten the retention.',
      cause: error,
    });
  }
}

/** Writes the stream to `path` and syncs it; stops as soon as it is longer than promised. */
async function receive(
  stream: AsyncIterable<Uint8Array>,
  path: string,
  name: string,
  expected: { bytes: number; sha256: string },
): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  const mismatch = (finding: string) =>
    new OttoError('ARTIFACT_MISMATCH', `${name}: ${finding}`, {
      hint: 'The transfer was damaged or cut off: send it again.',
      transient: true,
    });
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of stream) {
      bytes += chunk.length;
      if (bytes > expected.bytes) throw mismatch(`more than the ${expected.bytes} bytes announced`);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (bytes !== expected.bytes) throw mismatch(`${bytes} bytes came, ${expected.bytes} were announced`);
  if (hash.digest('hex') !== expected.sha256) throw mismatch('its SHA-256 is not the one announced');
}

/** Kind and format make the path, the name stands in headers: all three come from outside. */
function checkNames({ kind, name, format }: NewArtifact): void {
  const refuse = (path: string, value: string, expected: string) => {
    throw new InputError(`${path}: ${JSON.stringify(value.slice(0, 100))} is not ${expected}`, {
      issues: [{ path, message: `is not ${expected}` }],
    });
  };
  if (!/^[a-z][a-z0-9_-]{0,63}$/.test(kind) || kind === incoming) refuse('kind', kind, 'a kind of artifact');
  if (!/^[a-z0-9]{1,16}$/.test(format)) refuse('format', format, 'a file format');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (!/^[^/\\\u0000-\u001f\u007f]{1,200}$/.test(name) || /^\.+$/.test(name))
    refuse('name', name, 'a file name');
}

function manifestOf(path: string): string {
  return `${path}.manifest.json`;
}

/** Changes with every change of the file that the file system can tell. */
async function fingerprint(path: string): Promise<string> {
  const { ino, size, mtimeMs, ctimeMs } = await stat(path);
  return [ino, size, mtimeMs, ctimeMs].join(':');
}

async function entries(directory: string) {
  return (await readdir(directory, { withFileTypes: true }).catch(gone)) ?? [];
}

function gone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
