import pg from 'pg';
import { connect } from '../../postgres/index.js';
import { cancelBackends } from '../benchmarks/engine/cancel-backends.js';
import type { CollectorContext } from './collector.js';

/** A statement waits this long at most for a lock: a collector looks on, it does not queue up in front of others. */
const lockTimeoutMs = 2_000;
const statementTimeoutMs = 5 * 60_000;

/** SQLSTATE of a statement that waited too long for a lock. */
export const lockNotAvailable = '55P03';

type Row = Record<string, unknown>;

/**
 * A connection of a collector. Read-only unless asked otherwise; what it is doing is ended on abort. Integers and
 * numerics come as numbers, times as ISO-8601 text, so that rows are JSON as they are.
 */
export class ServerConnection {
  readonly client: pg.Client;
  readonly #stopListening: () => void;

  private constructor(client: pg.Client, stopListening: () => void) {
    this.client = client;
    this.#stopListening = stopListening;
  }

  static async open(
    context: Pick<CollectorContext<unknown>, 'url' | 'signal'>,
    options: { url?: string; writable?: boolean } = {},
  ): Promise<ServerConnection> {
    const url = options.url ?? context.url;
    const { signal } = context;
    const client = await connect(url, { applicationName: 'otto collect', statementTimeoutMs, signal });
    const abort = () => {
      cancelBackends(url, [client]).catch(() => {});
    };
    signal.addEventListener('abort', abort, { once: true });
    const connection = new ServerConnection(client, () => signal.removeEventListener('abort', abort));
    try {
      await client.query(`SET lock_timeout = ${lockTimeoutMs}`);
      if (!options.writable) await client.query('SET default_transaction_read_only = on');
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }

  async query(text: string, values: readonly unknown[] = []): Promise<pg.QueryResult<Row>> {
    return await this.client.query<Row>({ text, values: [...values], types: jsonTypes });
  }

  async rows<T extends object = Row>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    return (await this.query(text, values)).rows as T[];
  }

  async row<T extends object = Row>(text: string, values: readonly unknown[] = []): Promise<T | undefined> {
    return (await this.rows<T>(text, values))[0];
  }

  async close(): Promise<void> {
    this.#stopListening();
    await this.client.end().catch(() => {});
  }
}

const { builtins } = pg.types;

function toNumber(text: string): number | string | null {
  const value = Number(text);
  if (!Number.isFinite(value)) return null;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value;
}

function toIsoTime(text: string): string {
  const time = new Date(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'));
  return Number.isNaN(time.getTime()) ? text : time.toISOString();
}

const parsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, toNumber],
  [builtins.NUMERIC, toNumber],
  [builtins.FLOAT4, toNumber],
  [builtins.FLOAT8, toNumber],
  [builtins.TIMESTAMPTZ, toIsoTime],
  [builtins.TIMESTAMP, (text) => text],
  [builtins.DATE, (text) => text],
  [builtins.INTERVAL, (text) => text],
]);

const jsonTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    parsers.get(oid) ?? pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};
