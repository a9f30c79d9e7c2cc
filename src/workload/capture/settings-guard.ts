import { type Clock, type Logger, OttoError } from '../../base/index.js';
import { changeSettings, type Journal, type OpenChange, restoreSettings } from '../../postgres/index.js';
import { asOurs, isConnectionLoss } from './control.js';
import type { RestoredSetting } from './types.js';

export interface GuardOptions {
  url: string;
  server: 'primary' | 'replica';
  journal: Journal;
  reason: string;
  clock: Clock;
  logger: Logger;
  /** How long to wait for a server that is away. */
  reconnectMs: number;
}

/** Changes settings for the length of a capture and takes them back in every ending. */
export class SettingsGuard {
  readonly #options: GuardOptions;
  readonly #open = new Map<string, OpenChange>();
  readonly restored: RestoredSetting[] = [];

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Begun again where the server goes away in the middle: what was changed by then is put back first. */
  async change(values: Record<string, string>, signal?: AbortSignal): Promise<void> {
    const { url, server, reason, clock, reconnectMs, logger } = this.#options;
    const since = clock.monotonic();
    for (;;) {
      try {
        await changeSettings(asOurs(url), values, this.#journal(), { server, reason, logger, signal });
        return;
      } catch (error) {
        if (!isConnectionLoss(error) || clock.monotonic() - since >= reconnectMs) throw error;
        logger.warn({ err: error }, 'the server went away while its settings were changed; trying again');
        await clock.sleep(250, signal);
        await this.restore();
        this.restored.length = 0;
      }
    }
  }

  /**
   * Not cancellable: a cancelled capture restores too.
   * @throws OttoError RESTORE_PENDING when the server cannot be reached; the journal then keeps the changes open.
   */
  async restore(): Promise<void> {
    const { url, clock, reconnectMs, logger } = this.#options;
    const since = clock.monotonic();
    while (this.#open.size > 0) {
      try {
        this.restored.push(
          ...(await restoreSettings(asOurs(url), [...this.#open.values()], this.#journal())),
        );
        return;
      } catch (error) {
        const gone = isConnectionLoss(error);
        if (gone && clock.monotonic() - since < reconnectMs) {
          await clock.sleep(250);
          continue;
        }
        const settings = [...this.#open.values()].map(({ setting }) => setting).join(', ');
        logger.error({ err: error, settings }, 'settings could not be restored yet');
        throw new OttoError('RESTORE_PENDING', `not restored yet: ${settings}: ${(error as Error).message}`, {
          hint: 'They stay open in the journal and can be restored when the server is back.',
          cause: error,
        });
      }
    }
  }

  /** The journal, watched: what it holds open is known here even when the change fails half-way. */
  #journal(): Journal {
    const { journal } = this.#options;
    return {
      intend: async (changes, reason) => {
        const open = await journal.intend(changes, reason);
        for (const change of open) this.#open.set(change.id, change);
        return open;
      },
      resolve: async (id, state, note) => {
        await journal.resolve(id, state, note);
        this.#open.delete(id);
      },
    };
  }
}
