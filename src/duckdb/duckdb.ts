import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { duckDbError } from './duckdb-error.js';
import { type ColumnType, ParquetWriter } from './parquet-writer.js';
import { type Plain, plainRow } from './values.js';

export interface DuckDbOptions {
  /** Memory that the engine may use; above it, it spills to `spillDirectory`. Default 512 MB. */
  memoryBytes?: number;
  /** Default 1: the engine often runs beside a database that is measured. */
  threads?: number;
  /** Where it may spill. Without one a query that needs more memory fails. */
  spillDirectory?: string;
}

export interface QueryOptions {
  signal?: AbortSignal;
}

/** A row by column name: bigints that fit are numbers, timestamps are Dates, lists are arrays. */
export type Row = Record<string, Plain>;

/**
 * An in-memory DuckDB. It never touches the network: no extension is installed or loaded by name.
 * Each query has its own connection, so that aborting one leaves the others alone.
 */
export class DuckDb {
  readonly #instance: DuckDBInstance;

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  static async open(options: DuckDbOptions = {}): Promise<DuckDb> {
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: `${Math.ceil((options.memoryBytes ?? 512 * 1024 * 1024) / 1024)}KiB`,
      threads: String(options.threads ?? 1),
      temp_directory: options.spillDirectory ?? '',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
    });
    return new DuckDb(instance);
  }

  /** Every row. Rejects with DUCKDB_FAILED, or CANCELLED when the signal aborts. */
  async query<T extends Row = Row>(
    sql: string,
    values: readonly DuckDBValue[] = [],
    options: QueryOptions = {},
  ): Promise<T[]> {
    const rows: T[] = [];
    for await (const batch of this.stream<T>(sql, values, options)) rows.push(...batch);
    return rows;
  }

  /** The rows in batches of about two thousand, read as they are consumed. */
  async *stream<T extends Row = Row>(
    sql: string,
    values: readonly DuckDBValue[] = [],
    options: QueryOptions = {},
  ): AsyncGenerator<T[]> {
    const connection = await this.#instance.connect();
    const interrupt = () => connection.interrupt();
    options.signal?.addEventListener('abort', interrupt, { once: true });
    try {
      options.signal?.throwIfAborted();
      const result = await connection.stream(sql, [...values]);
      const names = result.deduplicatedColumnNames();
      for (;;) {
        options.signal?.throwIfAborted();
        const chunk = await result.fetchChunk();
        if (!chunk || chunk.rowCount === 0) return;
        yield chunk.getRows().map((row) => plainRow<T>(names, row));
      }
    } catch (error) {
      throw duckDbError(error, options.signal);
    } finally {
      options.signal?.removeEventListener('abort', interrupt);
      connection.closeSync();
    }
  }

  /** Collects rows to be written as one Parquet file. */
  async writer(columns: Record<string, ColumnType>): Promise<ParquetWriter> {
    const connection: DuckDBConnection = await this.#instance.connect();
    return ParquetWriter.open(connection, columns);
  }

  close(): void {
    this.#instance.closeSync();
  }
}

/** Opens one for `work` and closes it in every ending. */
export async function withDuckDb<T>(options: DuckDbOptions, work: (db: DuckDb) => Promise<T>): Promise<T> {
  const db = await DuckDb.open(options);
  try {
    return await work(db);
  } finally {
    db.close();
  }
}
