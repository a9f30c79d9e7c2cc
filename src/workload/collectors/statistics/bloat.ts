/**
 * Bloat estimated from statistics alone: how many pages the rows would need if they were packed as the page layout
 * asks, against how many there are. The layout is that of the PostgreSQL documentation, "Database Page Layout" and
 * "B-Tree Indexes: Deduplication"; the approach of estimating from pg_stats widths is that of ioguix's
 * pgsql-bloat-estimation. Widths are averages, so a few per cent either way mean nothing.
 */
export const bloatSource =
  'Expected pages from average column widths (pg_stats) and the page layout of the PostgreSQL documentation; approach of pgsql-bloat-estimation (ioguix).';

export interface ColumnWidth {
  /** Average stored width of values that are not null, bytes. */
  averageBytes: number;
  /** Share of nulls, 0 … 1. */
  nullShare: number;
  /** Alignment of the type: 1, 2, 4 or 8. */
  alignment: number;
  /** False for variable-length types. */
  fixedLength: boolean;
}

export interface BloatEstimate {
  expectedBytes: number;
  /** Never negative. */
  bloatBytes: number;
  /** Of the actual size, 0 … 1. */
  bloatShare: number;
}

const pageHeaderBytes = 24;
const linePointerBytes = 4;
const maxAlignment = 8;

function align(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to;
}

/** Bytes of the values of an average row, with the padding that their alignment asks. */
function dataBytes(columns: readonly ColumnWidth[]): number {
  let at = 0;
  for (const { averageBytes, nullShare, alignment, fixedLength } of columns) {
    // Values of variable length up to 126 bytes have a one-byte header and are not aligned.
    const aligned = fixedLength || averageBytes > 126 ? align(at, alignment) : at;
    at += (aligned - at + averageBytes) * (1 - nullShare);
  }
  return at;
}

function compare(expectedPages: number, pages: number, pageBytes: number): BloatEstimate {
  const expectedBytes = Math.min(expectedPages, pages) * pageBytes;
  const bloatBytes = pages * pageBytes - expectedBytes;
  return { expectedBytes, bloatBytes, bloatShare: pages === 0 ? 0 : bloatBytes / (pages * pageBytes) };
}

export interface TableShape {
  pages: number;
  rows: number;
  /** Per cent. */
  fillFactor: number;
  pageBytes: number;
  columns: readonly ColumnWidth[];
}

export function tableBloat({ pages, rows, fillFactor, pageBytes, columns }: TableShape): BloatEstimate {
  const mayBeNull = columns.some(({ nullShare }) => nullShare > 0);
  const header = align(23 + (mayBeNull ? Math.ceil(columns.length / 8) : 0), maxAlignment);
  const tuple = align(header + Math.ceil(dataBytes(columns)), maxAlignment) + linePointerBytes;
  const perPage = Math.max(1, Math.floor(((pageBytes - pageHeaderBytes) * fillFactor) / 100 / tuple));
  return compare(Math.ceil(rows / perPage), pages, pageBytes);
}

export interface IndexShape extends TableShape {
  /** Rows for each different key, 1 where keys are unique. */
  rowsPerKey: number;
}

/** For B-trees. Equal keys share one tuple with a list of row addresses (deduplication, PostgreSQL 13 and later). */
export function btreeBloat(shape: IndexShape): BloatEstimate {
  const { pages, rows, fillFactor, pageBytes, columns } = shape;
  const special = 16;
  const mayBeNull = columns.some(({ nullShare }) => nullShare > 0);
  const header = align(8 + (mayBeNull ? 4 : 0), maxAlignment);
  const key = align(header + Math.ceil(dataBytes(columns)), maxAlignment);
  // A list takes 6 bytes an address, and a tuple with one grows to a sixth of a page at most.
  const longest = Math.max(1, Math.floor((pageBytes / 6 - key) / 6));
  const inList = Math.min(shape.rowsPerKey, longest);
  const tuple = inList < 2 ? key : align(key + 6 * inList, maxAlignment);
  const bytesPerRow = (tuple + linePointerBytes) / Math.max(1, inList < 2 ? 1 : inList);
  const usable = ((pageBytes - pageHeaderBytes - special) * fillFactor) / 100;
  const leaves = Math.ceil((rows * bytesPerRow) / usable);
  const perInner = Math.max(2, Math.floor((usable * (70 / fillFactor)) / (key + linePointerBytes)));
  let inner = 0;
  for (let level = leaves; level > 1; level = Math.ceil(level / perInner))
    inner += Math.ceil(level / perInner);
  // One page is the index's own.
  return compare(1 + Math.max(1, leaves) + inner, pages, pageBytes);
}
