import type pg from 'pg';
import { type Clock, OttoError } from '../../base/index.js';
import { connect, formatUrl, parseUrl } from '../../postgres/index.js';

/** Our sessions are known by this and left out of every capture. */
export const ownApplication = 'ottopilot';

/** The URL with our application name, whatever name it came with. */
export function asOurs(url: string): string {
  const parts = parseUrl(url);
  return formatUrl({
    ...parts,
    parameters: { ...parts.parameters, application_name: `${ownApplication} capture` },
  });
}

/** Whether an error says that the connection is gone or that the server is not there for the moment. */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof OttoError) return error.transient || error.code === 'CONNECT_FAILED';
  const { code, message } = error as { code?: string; message?: string };
  if (code && /^(08...|57P0[1-3]|ECONNRESET|EPIPE|ECONNREFUSED|ETIMEDOUT)$/.test(code)) return true;
  return /connection (terminated|ended|error)|not queryable|client was closed/i.test(message ?? '');
}

export interface ControlOptions {
  url: string;
  clock: Clock;
  signal?: AbortSignal;
  /** How long the server may be away. */
  reconnectMs: number;
}

/**
 * Our connection to the captured server. It survives restarts: a query whose connection breaks is run again on a new
 * one, so every query here must be harmless to repeat.
 */
export class Control {
  readonly #options: ControlOptions;
  #client: pg.Client | undefined;
  #startedAt: string | undefined;
  /** Times at which the server was found to have been started again. */
  readonly restarts: Date[] = [];

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  async query<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return this.with(async (client) => (await client.query<Row>(sql, values)).rows);
  }

  /**
   * Runs `work` with the connection, and again on a new one when it breaks.
   * @throws OttoError SERVER_GONE when the server stays away; CANCELLED.
   */
  async with<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const { clock, reconnectMs, signal } = this.#options;
    const first = this.#client === undefined && this.#startedAt === undefined;
    let goneSince: number | undefined;
    for (;;) {
      signal?.throwIfAborted();
      try {
        return await work(await this.#connected());
      } catch (error) {
        if (first || !isConnectionLoss(error)) throw error;
        this.#drop();
        goneSince ??= clock.monotonic();
        if (clock.monotonic() - goneSince > reconnectMs) {
          throw new OttoError('SERVER_GONE', `the server has been away for ${reconnectMs / 1000} s`, {
            hint: 'Settings that were changed stay in the journal and are restored when it is back.',
            cause: error,
            transient: true,
          });
        }
        await clock.sleep(200, signal);
      }
    }
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client) return this.#client;
    const client = await connect(asOurs(this.#options.url), {
      signal: this.#options.signal,
      statementTimeoutMs: 60_000,
      connectTimeoutMs: 5_000,
    });
    this.#client = client;
    const { rows } = await client.query<{ started: string; superuser: boolean }>(
      "select pg_postmaster_start_time()::text as started, current_setting('is_superuser') = 'on' as superuser",
    );
    const { started, superuser } = rows[0]!;
    // What we ask would only swell the log that we read.
    if (superuser) await client.query('set log_min_duration_statement = -1');
    if (this.#startedAt !== undefined && this.#startedAt !== started) {
      this.restarts.push(new Date(this.#options.clock.now()));
    }
    this.#startedAt = started;
    return client;
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    void client?.end().catch(() => {});
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }
}
