import { newId, OttoError } from '../../base/index.js';
import { withConnection } from '../../postgres/index.js';
import { readStatementMessage } from '../log/messages.js';
import type { LogRecord } from '../log/record.js';
import { asOurs } from './control.js';

/**
 * A statement of our own that must show up in the log. All messages pass through one pipe, in order, and a client has
 * its answer only after its message is in: once a marker is in the log, so is everything that ended before it began.
 */
export class Marker {
  readonly #text = newId('otto_marker');
  #seenAt: string | undefined;

  get seen(): boolean {
    return this.#seenAt !== undefined;
  }

  /** The log's time of it. */
  get time(): string | undefined {
    return this.#seenAt;
  }

  /** Runs it on a connection of its own, which has the settings as they are now. */
  async run(url: string, signal?: AbortSignal): Promise<void> {
    await withConnection(
      asOurs(url),
      { signal, connectTimeoutMs: 5_000, statementTimeoutMs: 30_000 },
      async (client) => {
        // Also when someone has changed the setting for all meanwhile.
        await client.query(
          "select set_config('log_min_duration_statement', '0', false) where current_setting('is_superuser') = 'on'",
        );
        await this.runWith((sql) => client.query(sql));
      },
    );
  }

  async runWith(query: (sql: string) => Promise<unknown>): Promise<void> {
    await query(`select 1 /* ${this.#text} */`);
  }

  /** @throws OttoError LOG_NOT_ENGLISH when the log speaks of it in words that are not understood. */
  look(record: LogRecord): boolean {
    if (this.seen || !record.message.includes(this.#text)) return false;
    const message = readStatementMessage(record.message);
    if (!message) {
      throw new OttoError(
        'LOG_NOT_ENGLISH',
        `the log is written in another language: "${record.message.slice(0, 60)}"`,
        {
          hint: 'ALTER SYSTEM SET lc_messages = C, and SELECT pg_reload_conf(). It also changes the messages that clients see.',
        },
      );
    }
    this.#seenAt = record.time;
    return true;
  }
}
