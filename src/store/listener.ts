import pg from 'pg';
import { type Logger, silentLogger } from '../base/index.js';

type Handler = (payload: string) => void;

/**
 * LISTEN on one connection, healed when it breaks. A notification is a hint to look, never the truth: after each
 * reconnection every handler is called with an empty payload, so that nothing missed stays missed.
 */
export class Listener {
  readonly #url: string;
  readonly #logger: Logger;
  readonly #handlers = new Map<string, Set<Handler>>();
  #client: pg.Client | undefined;
  #closed = false;
  #connecting: Promise<void> | undefined;

  constructor(url: string, logger: Logger = silentLogger) {
    this.#url = url;
    this.#logger = logger;
  }

  async open(): Promise<void> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    await this.#connecting;
  }

  /** Calls `handler` on each notification of `channel`, until the returned function is called. */
  on(channel: string, handler: Handler): () => void {
    let handlers = this.#handlers.get(channel);
    if (!handlers) {
      handlers = new Set();
      this.#handlers.set(channel, handlers);
      this.#client?.query(`listen ${pg.escapeIdentifier(channel)}`).catch(() => this.#reconnect());
    }
    handlers.add(handler);
    return () => handlers.delete(handler);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client?.end().catch(() => {});
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'ottopilot listener',
      keepAlive: true,
    });
    client.on('error', () => this.#reconnect());
    client.on('end', () => this.#reconnect());
    client.on('notification', ({ channel, payload }) => this.#emit(channel, payload ?? ''));
    await client.connect();
    this.#client = client;
    for (const channel of this.#handlers.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    for (const channel of this.#handlers.keys()) this.#emit(channel, '');
  }

  #emit(channel: string, payload: string): void {
    for (const handler of this.#handlers.get(channel) ?? []) handler(payload);
  }

  #reconnect(): void {
    if (this.#closed || this.#connecting) return;
    this.#client?.removeAllListeners();
    this.#client?.on('error', () => {});
    this.#client?.end().catch(() => {});
    this.#client = undefined;
    this.#logger.warn('lost the notification connection; reconnecting');
    const attempt = async (): Promise<void> => {
      for (let wait = 100; !this.#closed; wait = Math.min(wait * 2, 2_000)) {
        try {
          await this.#connect();
          return;
        } catch {
          await new Promise((resolve) => setTimeout(resolve, wait));
        }
      }
    };
    this.#connecting = attempt().finally(() => {
      this.#connecting = undefined;
    });
  }
}
