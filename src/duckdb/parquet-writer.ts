import { rm } from 'node:fs/promises';
import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBTimestampTZValue,
  LIST,
  VARCHAR,
} from '@duckdb/node-api';
import { publishFile } from '../base/index.js';
import { duckDbError } from './duckdb-error.js';

/** `timestamp` is UTC in µs since the epoch. */
export type ColumnType = 'text' | 'integer' | 'bigint' | 'double' | 'boolean' | 'timestamp' | 'text list';

/** A value of a row; a `timestamp` is given as µs since the epoch. */
export type Cell = string | number | boolean | null | readonly (string | null)[];

const sqlTypes: Record<ColumnType, string> = {
  text: 'VARCHAR',
  integer: 'INTEGER',
  bigint: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMPTZ',
  'text list': 'VARCHAR[]',
};

/** Small groups keep the memory of a write small; long statements make rows wide. */
const rowGroupRows = 16_384;

let tables = 0;

/**
 * Rows in, one Parquet file (zstd) out. Rows are held by the engine, which spills above its memory limit; the file
 * appears under its name complete and synced, or not at all.
 */
export class ParquetWriter {
  readonly #connection: DuckDBConnection;
  readonly #appender: DuckDBAppender;
  readonly #table: string;
  readonly #appends: ((value: Cell) => void)[];
  #rows = 0;
  #open = true;

  private constructor(
    connection: DuckDBConnection,
    appender: DuckDBAppender,
    table: string,
    types: ColumnType[],
  ) {
    this.#connection = connection;
    this.#appender = appender;
    this.#table = table;
    this.#appends = types.map((type) => appendTo(appender, type));
  }

  static async open(
    connection: DuckDBConnection,
    columns: Record<string, ColumnType>,
  ): Promise<ParquetWriter> {
    const table = `rows_${tables++}`;
    const definitions = Object.entries(columns).map(([name, type]) => `${quoteName(name)} ${sqlTypes[type]}`);
    await connection.run(`CREATE TABLE ${table} (${definitions.join(', ')})`);
    const appender = await connection.createAppender(table);
    return new ParquetWriter(connection, appender, table, Object.values(columns));
  }

  get rows(): number {
    return this.#rows;
  }

  /** One cell a column, in the order of the columns. Throws DISK_FULL when the engine cannot spill. */
  append(row: readonly Cell[]): void {
    try {
      for (let i = 0; i < this.#appends.length; i++) {
        const value = row[i];
        if (value === null || value === undefined) this.#appender.appendNull();
        else this.#appends[i]!(value);
      }
      this.#appender.endRow();
      // The appender keeps all it is given in its own memory until it is flushed.
      if (++this.#rows % 20_000 === 0) this.#appender.flushSync();
    } catch (error) {
      throw duckDbError(error);
    }
  }

  /** Writes the rows in the order of `orderBy` to `path` and ends the writer. */
  async finish(
    path: string,
    options: { orderBy?: readonly string[]; signal?: AbortSignal } = {},
  ): Promise<void> {
    const temporary = `${path}.partial`;
    const interrupt = () => this.#connection.interrupt();
    try {
      options.signal?.throwIfAborted();
      this.#appender.flushSync();
      options.signal?.addEventListener('abort', interrupt, { once: true });
      const order = options.orderBy?.length ? ` ORDER BY ${options.orderBy.map(quoteName).join(', ')}` : '';
      await this.#connection.run(
        `COPY (SELECT * FROM ${this.#table}${order}) TO ${quoteText(temporary)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroupRows})`,
      );
      options.signal?.throwIfAborted();
      await publishFile(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw duckDbError(error, options.signal);
    } finally {
      options.signal?.removeEventListener('abort', interrupt);
      this.discard();
    }
  }

  /** Ends the writer and forgets its rows. Harmless after `finish`. */
  discard(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#appender.clear();
    this.#appender.closeSync();
    this.#connection.closeSync();
  }
}

function appendTo(appender: DuckDBAppender, type: ColumnType): (value: Cell) => void {
  switch (type) {
    case 'text':
      return (value) => appender.appendVarchar(value as string);
    case 'integer':
      return (value) => appender.appendInteger(value as number);
    case 'bigint':
      return (value) => appender.appendBigInt(BigInt(value as number));
    case 'double':
      return (value) => appender.appendDouble(value as number);
    case 'boolean':
      return (value) => appender.appendBoolean(value as boolean);
    case 'timestamp':
      return (value) => appender.appendTimestampTZ(new DuckDBTimestampTZValue(BigInt(value as number)));
    case 'text list': {
      const list = LIST(VARCHAR);
      return (value) => appender.appendList(value as readonly (string | null)[], list);
    }
  }
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
