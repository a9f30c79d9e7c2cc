import {
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';

export type Plain =
  | string
  | number
  | bigint
  | boolean
  | null
  | Date
  | Uint8Array
  | Plain[]
  | { [key: string]: Plain };

export function plainRow<T>(names: readonly string[], row: readonly DuckDBValue[]): T {
  const out: Record<string, Plain> = {};
  for (let i = 0; i < names.length; i++) out[names[i]!] = plain(row[i]!);
  return out as T;
}

/** The engine's value as JavaScript's own; whatever has no equal of its own becomes its SQL text. */
export function plain(value: DuckDBValue): Plain {
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  ) {
    return value;
  }
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof DuckDBListValue) return value.items.map(plain);
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([key, entry]) => [key, plain(entry)]));
  }
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue) {
    return new Date(Number(value.micros / 1000n));
  }
  if (value instanceof DuckDBDecimalValue) return value.toDouble();
  if ('bytes' in value && value.bytes instanceof Uint8Array) return value.bytes;
  return String(value);
}
