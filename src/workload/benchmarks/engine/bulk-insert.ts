import type pg from 'pg';
import type { ProgressSink } from '../../../base/index.js';

export type Cell = number | string | null;

export interface BulkTable {
  /** Qualified, as it is written in SQL. */
  name: string;
  /** Column name to its SQL type. */
  columns: Readonly<Record<string, string>>;
}

/** Bytes of a statement's parameters: large enough that a round trip does not count, small enough for any memory. */
const batchBytes = 512 * 1024;

/**
 * Fills tables by `INSERT … SELECT … FROM unnest($1::int[], $2::text[], …)`: one bound array a column. Batches go out
 * on several connections at once, so the rows of the next are made while the server works on the last.
 */
export class BulkInsert {
  readonly #idle: pg.Client[];
  readonly #all: number;
  readonly #waiting: ((client: pg.Client) => void)[] = [];
  readonly #counts = new Map<string, number>();
  readonly #total: number;
  readonly #progress: ProgressSink | undefined;
  readonly #signal: AbortSignal | undefined;
  #done = 0;
  #failure: { error: unknown } | undefined;

  constructor(
    clients: readonly pg.Client[],
    options: { totalRows: number; progress?: ProgressSink; signal?: AbortSignal },
  ) {
    this.#idle = [...clients];
    this.#all = clients.length;
    this.#total = options.totalRows;
    this.#progress = options.progress;
    this.#signal = options.signal;
  }

  /** Rows sent so far, by unqualified table name. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Sends all rows; resolves when the last batch has been handed over, which may be before it is written. */
  async insert(table: BulkTable, rows: Iterable<readonly Cell[]>): Promise<void> {
    const types = Object.values(table.columns);
    const quoted = types.map((type) => type === 'text');
    const names = Object.keys(table.columns).join(', ');
    const arrays = types.map((type, i) => `$${i + 1}::${type}[]`).join(', ');
    const text = `INSERT INTO ${table.name} (${names}) SELECT * FROM unnest(${arrays})`;

    let columns: string[] = types.map(() => '');
    let count = 0;
    let bytes = 0;
    for (const row of rows) {
      for (let i = 0; i < columns.length; i++) {
        const cell = encode(row[i]!, quoted[i]!);
        columns[i] += count === 0 ? cell : `,${cell}`;
        bytes += cell.length + 1;
      }
      count += 1;
      if (bytes >= batchBytes) {
        await this.#send(table, text, columns, count);
        columns = types.map(() => '');
        count = 0;
        bytes = 0;
      }
    }
    if (count > 0) await this.#send(table, text, columns, count);
  }

  /** Resolves when everything handed over is written; rejects with the first failure. */
  async finish(): Promise<void> {
    const clients: pg.Client[] = [];
    while (clients.length < this.#all) clients.push(await this.#take());
    this.#idle.push(...clients);
    this.#throwIfFailed();
  }

  async #send(table: BulkTable, text: string, columns: readonly string[], rows: number): Promise<void> {
    this.#throwIfFailed();
    const client = await this.#take();
    client
      .query(
        text,
        columns.map((column) => `{${column}}`),
      )
      .then(() => this.#written(table, rows))
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#give(client));
  }

  #written(table: BulkTable, rows: number): void {
    const name = table.name.slice(table.name.indexOf('.') + 1);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + rows);
    this.#done += rows;
    this.#progress?.({ phase: 'loading', message: name, done: this.#done, total: this.#total, unit: 'rows' });
  }

  #throwIfFailed(): void {
    this.#signal?.throwIfAborted();
    if (this.#failure) throw this.#failure.error;
  }

  #take(): Promise<pg.Client> {
    const client = this.#idle.pop();
    return client ? Promise.resolve(client) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  #give(client: pg.Client): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(client);
    else this.#idle.push(client);
  }
}

/** One element of a Postgres array literal. */
function encode(value: Cell, quoted: boolean): string {
  if (value === null) return 'NULL';
  if (typeof value === 'number') return String(value);
  return quoted ? `"${/[\\"]/.test(value) ? value.replace(/[\\"]/g, '\\$&') : value}"` : value;
}
