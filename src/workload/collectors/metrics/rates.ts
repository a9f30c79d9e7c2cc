import type { ColumnKind, StatisticsView } from './views.js';

export type Value = number | string | boolean | null;
export type Row = Record<string, Value>;

export interface RowChange {
  key: Row;
  /** As of the second sample. */
  values: Row;
  /** By counter; empty when there is no earlier sample of the row or its counters were reset in between. */
  ratesPerSecond: Record<string, number>;
  /** Counters were set back between the samples: told by the reset time, or by a counter that fell. */
  reset: boolean;
}

/** Matches the rows of two samples by key and turns counters into rates. */
export function rowChanges(
  view: StatisticsView,
  columns: Readonly<Record<string, ColumnKind>>,
  first: readonly Row[],
  second: readonly Row[],
  seconds: number,
): RowChange[] {
  const keyText = (row: Row) => JSON.stringify(view.key.map((column) => row[column] ?? null));
  const before = new Map(first.map((row) => [keyText(row), row]));
  // Rows that a role may not tell apart (pg_stat_statements of others) have no history of their own.
  const seen = new Set<string>();
  for (const key of first.map(keyText)) {
    if (seen.has(key)) before.delete(key);
    seen.add(key);
  }
  const counters = Object.keys(columns).filter((column) => columns[column] === 'counter');
  return second.map((row) => {
    const earlier = before.get(keyText(row));
    const reset = earlier !== undefined && wasReset(view, counters, earlier, row);
    const ratesPerSecond: Record<string, number> = {};
    if (earlier && !reset && seconds > 0) {
      for (const counter of counters) {
        const rate = difference(earlier[counter], row[counter]);
        if (rate !== undefined) ratesPerSecond[counter] = rate / seconds;
      }
    }
    const key = Object.fromEntries(view.key.map((column) => [column, row[column] ?? null]));
    const values = Object.fromEntries(Object.entries(row).filter(([column]) => !view.key.includes(column)));
    return { key, values, ratesPerSecond, reset };
  });
}

function wasReset(view: StatisticsView, counters: readonly string[], first: Row, second: Row): boolean {
  if (view.reset !== undefined && (first[view.reset] ?? null) !== (second[view.reset] ?? null)) return true;
  return counters.some((counter) => (difference(first[counter], second[counter]) ?? 0) < 0);
}

/** Counters above 2^53 come as text. Undefined where there is none, as in columns that a row does not use. */
function difference(first: Value | undefined, second: Value | undefined): number | undefined {
  if (typeof first === 'number' && typeof second === 'number') return second - first;
  if (first == null || second == null) return undefined;
  return Number(BigInt(second as string) - BigInt(first as string));
}
