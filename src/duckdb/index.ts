/** The embedded analytic engine: reads and writes Parquet files of this machine, and nothing else. */
export { DuckDb, type DuckDbOptions, type QueryOptions, type Row, withDuckDb } from './duckdb.js';
export { type Cell, type ColumnType, ParquetWriter } from './parquet-writer.js';
export type { Plain } from './values.js';
