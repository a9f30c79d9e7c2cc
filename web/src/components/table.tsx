// biome-ignore-all lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
// biome-ignore-all lint/a11y/useSemanticElements: a landmark for every table would drown the others
import './table.css';
import type { ReactNode } from 'react';
import { Button } from './button.js';

export interface Column<T> {
  key: string;
  /** With the unit, where the column has one. */
  header: string;
  cell: (row: T) => ReactNode;
  align?: 'end';
  /** A CSS grid track, for the virtual table. */
  width?: string;
  /** Sorting starts from the largest. */
  sortable?: boolean;
  /** Left out on windows narrower than this many rem, where the expanded row shows it. */
  hideBelow?: number;
  title?: string;
}

interface DataTableProps<T> {
  label: string;
  columns: Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  /** Shown under the rows, such as a button that loads more. */
  footer?: ReactNode;
}

/** A short table. On a small screen each row becomes a card whose cells carry their column's name. */
export function DataTable<T>({ label, columns, rows, rowKey, footer }: DataTableProps<T>) {
  return (
    <>
      <div className="table-scroll" role="group" tabIndex={0} aria-label={label}>
        <table className="table" aria-label={label}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th
                  key={column.key}
                  scope="col"
                  className={column.align === 'end' ? 'cell-end' : ''}
                  title={column.title}
                >
                  {column.key === 'actions' ? (
                    <span className="visually-hidden">{column.header}</span>
                  ) : (
                    column.header
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={rowKey(row)}>
                {columns.map((column) => (
                  <td
                    key={column.key}
                    data-label={column.header}
                    className={column.align === 'end' ? 'cell-end' : ''}
                  >
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {footer}
    </>
  );
}

interface MoreProps {
  of: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}

/** The button at the end of a list that has more. */
export function More({ of }: MoreProps) {
  if (!of.hasNextPage) return null;
  return (
    <div className="table-more">
      <Button size="s" busy={of.isFetchingNextPage} onClick={() => void of.fetchNextPage()}>
        {of.isFetchingNextPage ? 'Loading…' : 'Show more'}
      </Button>
    </div>
  );
}
