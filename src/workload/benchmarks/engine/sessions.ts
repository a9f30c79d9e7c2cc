import type pg from 'pg';
import { connect } from '../../../postgres/index.js';
import { cancelBackends } from './cancel-backends.js';

export interface Statement {
  /** Unique within a benchmark: the name of the prepared statement. */
  name: string;
  text: string;
}

/** A connection of the load generator. */
export class Session {
  readonly client: pg.Client;
  readonly #prepared: boolean;
  /** Whether the last statement left a transaction open; ROLLBACK is only sent then. */
  #open = false;

  constructor(client: pg.Client, prepared: boolean) {
    this.client = client;
    this.#prepared = prepared;
  }

  async query<Row extends pg.QueryResultRow>(
    statement: Statement,
    values: readonly unknown[] = [],
  ): Promise<pg.QueryResult<Row>> {
    // Without a name the driver still uses the extended protocol with bound parameters, but parses each time.
    return await this.client.query<Row>({
      text: statement.text,
      values: [...values],
      ...(this.#prepared && { name: statement.name }),
    });
  }

  async begin(text = 'BEGIN'): Promise<void> {
    this.#open = true;
    await this.client.query(text);
  }

  async commit(): Promise<void> {
    await this.client.query('COMMIT');
    this.#open = false;
  }

  async rollback(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.client.query('ROLLBACK');
  }
}

export interface SessionOptions {
  applicationName: string;
  statementTimeoutMs: number;
}

/** The connections of a run: every other one uses named prepared statements. */
export class Sessions {
  readonly #url: string;
  readonly #options: SessionOptions;
  readonly #live = new Map<number, Session>();

  constructor(url: string, options: SessionOptions) {
    this.#url = url;
    this.#options = options;
  }

  async open(index: number, signal?: AbortSignal): Promise<Session> {
    const client = await connect(this.#url, {
      applicationName: this.#options.applicationName,
      statementTimeoutMs: this.#options.statementTimeoutMs,
      signal,
    });
    const session = new Session(client, index % 2 === 0);
    this.#live.set(index, session);
    return session;
  }

  /** Closes a connection that may already be broken. */
  async discard(index: number): Promise<void> {
    const session = this.#live.get(index);
    this.#live.delete(index);
    await session?.client.end().catch(() => {});
  }

  /** Ends what the server is doing for us. Best effort: the connections are closed after it anyway. */
  async cancel(): Promise<void> {
    await cancelBackends(
      this.#url,
      [...this.#live.values()].map(({ client }) => client),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#live.keys()].map((index) => this.discard(index)));
  }
}
