/** A file of the server's log folder. */
export interface LogFile {
  /** The same as long as it is the same file, also when another takes its name. */
  id: string;
  name: string;
  sizeBytes: number;
  modifiedMs: number;
  /** When it was made, where that can be known. */
  madeMs?: number;
}

/** A way to the server's log files. */
export interface LogSource {
  readonly readThrough: 'files' | 'sql';
  /** The folder's files, in any order. */
  list(): Promise<LogFile[]>;
  /** Up to `length` bytes from `offset`; empty at the end, or when the file is gone. */
  read(file: Pick<LogFile, 'id' | 'name'>, offset: number, length: number): Promise<Uint8Array>;
  /** Bytes free where the log is written, where that can be known. */
  freeBytes(): Promise<number | undefined>;
  close(): Promise<void>;
}

/**
 * The order in which a rotated log is written, whatever its files are called. File times are coarse (4 ms on Linux, a
 * second through SQL): of files changed in one tick the one that was the last so far comes first.
 */
export function inOrder(files: LogFile[], last: string | undefined): LogFile[] {
  const rank = ({ id }: LogFile) => (id === last ? 0 : 1);
  return files.sort(
    (a, b) =>
      a.modifiedMs - b.modifiedMs ||
      rank(a) - rank(b) ||
      (a.madeMs ?? 0) - (b.madeMs ?? 0) ||
      (a.name < b.name ? -1 : 1),
  );
}
