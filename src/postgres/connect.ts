import type { Socket } from 'node:net';
import pg from 'pg';
import { OttoError } from '../base/index.js';
import { connectError } from './connect-error.js';
import { formatUrl, parseUrl, type ServerUrl } from './url.js';

export interface ConnectOptions {
  /** Shown in pg_stat_activity; default `ottopilot`. */
  applicationName?: string;
  /** Limit of every statement, at the server; default none. */
  statementTimeoutMs?: number;
  /** Limit of getting the connection; default 10 000. */
  connectTimeoutMs?: number;
  /** Aborts getting the connection; a connection once made is the caller's to end. */
  signal?: AbortSignal;
}

/**
 * A connection to the server of `url`, read as libpq reads it (sslmode in particular).
 * @throws OttoError CONNECT_REFUSED, AUTH_FAILED, NO_SUCH_DATABASE, HOST_UNKNOWN, TIMEOUT, SERVER_STARTING,
 * TOO_MANY_CONNECTIONS, TLS_FAILED, NOT_ALLOWED, CONNECTION_LOST, CONNECT_FAILED, CANCELLED; InputError for the URL.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<pg.Client> {
  return open(url, options, {});
}

/** A connection that speaks the replication protocol; fails where the role or pg_hba.conf does not allow it. */
export async function connectForReplication(url: string, options: ConnectOptions = {}): Promise<pg.Client> {
  return open(url, options, { replication: 'true' });
}

async function open(url: string, options: ConnectOptions, extra: object): Promise<pg.Client> {
  const parts = parseUrl(url);
  const mode = parts.parameters.sslmode;
  if (mode !== 'prefer') return attempt(withTls(parts, mode), options, extra);
  try {
    return await attempt(withTls(parts, 'prefer'), options, extra);
  } catch (error) {
    if (!(error instanceof OttoError) || !/does not support SSL/.test(error.message)) throw error;
    return attempt(withTls(parts, undefined), options, extra);
  }
}

/** pg reads `require` as `verify-full` unless told to read it as libpq does. */
function withTls(parts: ServerUrl, mode: string | undefined): ServerUrl {
  const { sslmode: _, ...parameters } = parts.parameters;
  const off = mode === undefined || mode === 'disable' || mode === 'allow' || parts.host.startsWith('/');
  return {
    ...parts,
    parameters: off ? parameters : { ...parameters, sslmode: mode, uselibpqcompat: 'true' },
  };
}

async function attempt(parts: ServerUrl, options: ConnectOptions, extra: object): Promise<pg.Client> {
  const { signal } = options;
  signal?.throwIfAborted();
  let client: pg.Client;
  try {
    client = new pg.Client({
      connectionString: formatUrl(parts),
      application_name: options.applicationName ?? parts.parameters.application_name ?? 'ottopilot',
      connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
      statement_timeout: options.statementTimeoutMs,
      keepAlive: true,
      ...extra,
    });
  } catch (error) {
    // Not as a cause: it may repeat the URL.
    throw new OttoError('INVALID_INPUT', `the connection string cannot be used: ${(error as Error).message}`);
  }
  // A connection that breaks while idle is reported by the next query; without a listener it would end the process.
  client.on('error', () => {});
  const connecting = client.connect();
  const abort = () => dropSocket(client);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await connecting;
  } catch (error) {
    void client.end().catch(() => {});
    if (signal?.aborted)
      throw new OttoError('CANCELLED', 'connecting was cancelled', { cause: signal.reason });
    throw connectError(error, parts);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return client;
}

/** `end` would wait for an answer first, and the server may never give one. */
function dropSocket(client: pg.Client): void {
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy(new Error('cancelled'));
}

/** Runs `work` with a connection and ends it, whatever happens. */
export async function withConnection<T>(
  url: string,
  options: ConnectOptions,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connect(url, options);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
