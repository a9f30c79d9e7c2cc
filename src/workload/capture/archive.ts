import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digestFile, freeBytes, newId, OttoError } from '../../base/index.js';
import { DuckDb, type ParquetWriter } from '../../duckdb/index.js';
import { eventCells, eventColumns, transactionKinds, type WorkloadEvent } from '../event.js';

const notStatements = new Set(transactionKinds);

/** Collects the events of a capture and writes them as one Parquet file. */
export class Archive {
  readonly #folder: string;
  readonly #spill: string;
  readonly #db: DuckDb;
  readonly #writer: ParquetWriter;
  readonly #minimumFreeBytes: number;
  readonly #fingerprints = new Set<string>();
  statements = 0;
  errors = 0;
  unparsed = 0;

  private constructor(
    folder: string,
    spill: string,
    db: DuckDb,
    writer: ParquetWriter,
    minimumFreeBytes: number,
  ) {
    this.#folder = folder;
    this.#spill = spill;
    this.#db = db;
    this.#writer = writer;
    this.#minimumFreeBytes = minimumFreeBytes;
  }

  static async open(
    folder: string,
    options: { memoryBytes: number; minimumFreeBytes: number },
  ): Promise<Archive> {
    await mkdir(folder, { recursive: true });
    await requireSpace(folder, options.minimumFreeBytes);
    const spill = await mkdtemp(join(folder, '.capture-'));
    const db = await DuckDb.open({ memoryBytes: options.memoryBytes, spillDirectory: spill });
    const writer = await db.writer(eventColumns);
    return new Archive(folder, spill, db, writer, options.minimumFreeBytes);
  }

  get events(): number {
    return this.#writer.rows;
  }

  get templates(): number {
    return this.#fingerprints.size;
  }

  add(event: WorkloadEvent): void {
    this.#writer.append(eventCells(event));
    this.#fingerprints.add(event.fingerprint);
    if (!notStatements.has(event.kind)) this.statements++;
    if (event.outcome === 'error') this.errors++;
    if (event.kind === 'unparsed') this.unparsed++;
  }

  /** @throws OttoError DISK_FULL before the disk is really full: the rest is needed to write the file. */
  requireSpace(): Promise<void> {
    return requireSpace(this.#folder, this.#minimumFreeBytes);
  }

  async finish(signal?: AbortSignal): Promise<{ file: string; bytes: number; sha256: string }> {
    const file = join(this.#folder, `${newId('workload')}.parquet`);
    await this.#writer.finish(file, { orderBy: ['started_at', 'session', 'line'], signal });
    return { file, ...(await digestFile(file)) };
  }

  async close(): Promise<void> {
    this.#writer.discard();
    this.#db.close();
    await rm(this.#spill, { recursive: true, force: true });
  }
}

async function requireSpace(folder: string, minimumBytes: number): Promise<void> {
  const free = await freeBytes(folder);
  if (free >= minimumBytes) return;
  throw new OttoError(
    'DISK_FULL',
    `${folder} has ${free} bytes free, and the capture needs at least ${minimumBytes}`,
    {
      hint: 'Free space there, or choose another folder.',
      where: folder,
    },
  );
}
