// biome-ignore-all lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
// biome-ignore-all lint/a11y/useSemanticElements: rows are placed absolutely, which table elements cannot be
// biome-ignore-all lint/a11y/useFocusableInteractive: row and columnheader are structure here, not controls
import './table.css';
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp, ChevronRight } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useMediaQuery } from '../lib/hooks.js';
import type { Column } from './table.js';

export interface Sort {
  key: string;
  descending: boolean;
}

interface VirtualTableProps<T> {
  label: string;
  columns: Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  /** What opens under a row. */
  expanded?: (row: T) => ReactNode;
  /** The row's name, for its expand button. */
  rowName?: (row: T) => string;
  rowHeight?: number;
  maxHeight?: string;
  /** Called when the end comes into view. */
  onEnd?: () => void;
}

/** A long table: only the rows in view exist. */
export function VirtualTable<T>(props: VirtualTableProps<T>) {
  const {
    label,
    rows,
    rowKey,
    sort,
    onSort,
    expanded,
    rowName,
    rowHeight = 36,
    maxHeight = '34rem',
    onEnd,
  } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const narrow = useMediaQuery('(max-width: 47.99rem)');
  const medium = useMediaQuery('(max-width: 63.99rem)');
  const shown = (column: Column<T>) =>
    column.hideBelow === undefined || !(column.hideBelow <= 48 ? narrow : medium);
  const columns = props.columns.filter(shown);
  const hidden = props.columns.filter((column) => !shown(column));
  const expands = expanded !== undefined || hidden.length > 0;
  const template = `${expands ? '1.75rem ' : ''}${columns.map((column) => column.width ?? 'minmax(0, 1fr)').join(' ')}`;

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => rowKey(rows[index]!),
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (onEnd && rows.length > 0 && last >= rows.length - 20) onEnd();
  }, [last, rows.length, onEnd]);

  const toggle = (key: string) => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  };

  return (
    <div ref={scroller} className="vtable" style={{ maxHeight }} tabIndex={0} role="group" aria-label={label}>
      <div role="table" aria-label={label} aria-rowcount={rows.length + 1}>
        <div role="rowgroup" className="vtable-head">
          <div role="row" aria-rowindex={1} className="vtable-row" style={{ gridTemplateColumns: template }}>
            {expands && (
              <span role="columnheader">
                <span className="visually-hidden">Details</span>
              </span>
            )}
            {columns.map((column) => (
              <Header key={column.key} column={column} sort={sort} onSort={onSort} />
            ))}
          </div>
        </div>
        <div role="rowgroup" className="vtable-body" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index]!;
            const key = rowKey(row);
            const isOpen = open.has(key);
            return (
              <div
                key={key}
                ref={virtual.measureElement}
                data-index={item.index}
                className="vtable-item"
                style={{ transform: `translateY(${item.start}px)` }}
                role="presentation"
              >
                <div
                  role="row"
                  aria-rowindex={item.index + 2}
                  className="vtable-row"
                  style={{ gridTemplateColumns: template, minHeight: rowHeight }}
                >
                  {expands && (
                    <span role="cell">
                      <button
                        type="button"
                        className="vtable-toggle"
                        aria-expanded={isOpen}
                        aria-label={`Details of ${rowName?.(row) ?? key}`}
                        onClick={() => toggle(key)}
                      >
                        <ChevronRight aria-hidden="true" />
                      </button>
                    </span>
                  )}
                  {columns.map((column) => (
                    <span
                      role="cell"
                      key={column.key}
                      className={column.align === 'end' ? 'vtable-cell cell-end' : 'vtable-cell'}
                    >
                      {column.cell(row)}
                    </span>
                  ))}
                </div>
                {isOpen && (
                  <div className="vtable-detail">
                    {hidden.length > 0 && (
                      <dl className="facts">
                        {hidden.map((column) => (
                          <div key={column.key} className="fact">
                            <dt>{column.header}</dt>
                            <dd>{column.cell(row)}</dd>
                          </div>
                        ))}
                      </dl>
                    )}
                    {expanded?.(row)}
                  </div>
                )}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface HeaderProps<T> {
  column: Column<T>;
  sort: Sort | undefined;
  onSort: ((sort: Sort) => void) | undefined;
}

function Header<T>({ column, sort, onSort }: HeaderProps<T>) {
  const active = sort?.key === column.key;
  const className = column.align === 'end' ? 'vtable-cell cell-end' : 'vtable-cell';
  const sorted = !active ? 'none' : sort.descending ? 'descending' : 'ascending';
  return (
    <span
      role="columnheader"
      className={className}
      title={column.title}
      aria-sort={column.sortable ? sorted : undefined}
    >
      {column.sortable && onSort ? (
        <button
          type="button"
          className="vtable-sort"
          onClick={() => onSort({ key: column.key, descending: active ? !sort.descending : true })}
        >
          {column.header}
          {active && (sort.descending ? <ArrowDown aria-hidden="true" /> : <ArrowUp aria-hidden="true" />)}
        </button>
      ) : (
        column.header
      )}
    </span>
  );
}
