import { type RawBuilder, sql } from 'kysely';
import { InputError } from '../../base/index.js';

/** `value` as ISO text, or nothing. */
export function iso(value: Date | null | undefined): string | undefined {
  return value?.toISOString();
}

/** Null, as the database says it, to absent, as the API says it. */
export function opt<T>(value: T | null | undefined): T | undefined {
  return value ?? undefined;
}

/** A page from `limit + 1` rows: the extra one only says that there is more. */
export function pageOf<Row extends { id: string | number }, View>(
  rows: Row[],
  limit: number,
  view: (row: Row) => View,
): { items: View[]; next?: string } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(view),
    ...(rows.length > limit && last && { next: String(last.id) }),
  };
}

/** "Older than the row `cursor`", by creation time and then id, which is the order of every list by time. */
export function olderThan(
  table: 'runs' | 'artifacts' | 'clones' | 'workers' | 'changes',
  cursor: string,
): RawBuilder<boolean> {
  const from = sql.table(table);
  return sql<boolean>`(${sql.ref(`${table}.created_at`)}, ${sql.ref(`${table}.id`)}) < (select c.created_at, c.id from ${from} as c where c.id = ${cursor})`;
}

/** A cursor of a list that is ordered by a number. */
export function numericCursor(cursor: string): number {
  if (!/^\d{1,15}$/.test(cursor)) throw new InputError(`cursor: "${cursor}" is not one of this list`);
  return Number(cursor);
}

/** Text to look for, as a pattern of `ilike` that takes its own wildcards literally. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
}
