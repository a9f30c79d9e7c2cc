import type pg from 'pg';

export interface StatementRequest {
  protocol: 'simple' | 'extended';
  sql: string;
  parameters: readonly (string | null)[];
  /** Name of the prepared statement; null for the unnamed one. */
  name: string | null;
  /** False where the server already holds the statement under its name. */
  parse: boolean;
}

export interface StatementOutcome {
  ok: boolean;
  rows: number;
  sqlstate: string | null;
  message: string | null;
  /** Whether the server accepted the text: the name then stands for it. */
  parsed: boolean;
}

/** What pg hands its queries; its types leave most of it out. */
interface ServerError {
  code?: string;
  message?: string;
}

/**
 * One statement, sent exactly as a client would: text, parameters as text with types left to the server, rows counted
 * and thrown away. pg's own query keeps every row and takes the life of prepared statements into its own hands.
 */
export class StatementQuery implements pg.Submittable {
  readonly outcome: Promise<StatementOutcome>;
  readonly #request: StatementRequest;
  #settle!: (outcome: StatementOutcome) => void;
  #rows = 0;
  #parsed = false;
  #connection: pg.Connection | undefined;
  readonly #onParsed = () => {
    this.#parsed = true;
  };

  constructor(request: StatementRequest) {
    this.#request = request;
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  submit(connection: pg.Connection): void {
    this.#connection = connection;
    const { protocol, sql, parameters, parse } = this.#request;
    if (protocol === 'simple') {
      connection.query(sql);
      return;
    }
    const name = this.#request.name ?? '';
    connection.stream.cork();
    if (parse) {
      connection.once('parseComplete', this.#onParsed);
      // Closing a name that is not in use is no error; parsing one that is would be.
      if (name !== '') connection.close({ type: 'S', name }, true);
      connection.parse({ name, text: sql, types: [] }, true);
    }
    connection.bind({ portal: '', statement: name, values: [...parameters] }, true);
    connection.describe({ type: 'P', name: '' }, true);
    connection.execute({ portal: '', rows: 0 } as never, true);
    connection.sync();
    connection.stream.uncork();
  }

  handleRowDescription(): void {}

  handleDataRow(): void {
    this.#rows++;
  }

  handlePortalSuspended(): void {}

  handleEmptyQuery(): void {}

  handleCommandComplete(): void {}

  handleCopyInResponse(connection: pg.Connection): void {
    // Its data are not in the log. The server answers with an error, and the connection stays in step.
    (connection as pg.Connection & { sendCopyFail(message: string): void }).sendCopyFail('no data');
  }

  handleCopyData(): void {
    this.#rows++;
  }

  handleReadyForQuery(): void {
    this.#end({ ok: true, sqlstate: null, message: null });
  }

  /** Also called when the connection breaks. */
  handleError(error: ServerError): void {
    const failed = { ok: false, sqlstate: error.code ?? null, message: error.message ?? null };
    const connection = this.#connection;
    if (!connection || !/^[0-9A-Z]{5}$/.test(error.code ?? '')) {
      this.#end(failed);
      return;
    }
    // The transaction's state is known when the server is ready again, or it has hung up.
    const done = () => {
      connection.removeListener('readyForQuery', done);
      connection.removeListener('end', done);
      this.#end(failed);
    };
    connection.on('readyForQuery', done);
    connection.on('end', done);
  }

  #end(result: Pick<StatementOutcome, 'ok' | 'sqlstate' | 'message'>): void {
    this.#connection?.removeListener('parseComplete', this.#onParsed);
    this.#settle({ ...result, rows: this.#rows, parsed: this.#parsed });
  }
}
