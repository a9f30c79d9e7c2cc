import { timingSafeEqual } from 'node:crypto';
import {
  type Clock,
  InputError,
  newId,
  newSecret,
  OttoError,
  sha256,
  systemClock,
} from '../../base/index.js';
import type { Database, Role, TokenRow } from '../../store/index.js';
import type { Actor } from './types.js';

/** How long another control plane may go on accepting a token that was revoked here, ms. Promised: under 5 s. */
const cacheMs = 3_000;
const cacheEntries = 10_000;

interface Cached {
  row: TokenRow;
  /** Monotonic, ms. */
  at: number;
}

/** API and worker tokens. Only their SHA-256 is stored: 256 random bits need no slow hash. */
export class Tokens {
  readonly #db: Database;
  readonly #clock: Clock;
  /** Tokens that are known to be good, by hash. Bad ones are not kept: anyone can invent those. */
  readonly #cache = new Map<string, Cached>();

  constructor(options: { db: Database; clock?: Clock }) {
    this.#db = options.db;
    this.#clock = options.clock ?? systemClock;
  }

  /** Makes a token. The text is returned this once and kept nowhere. */
  async issue(
    request: { name: string; role: Role; expiresAt?: Date },
    actor: Actor,
  ): Promise<{ token: string; row: TokenRow }> {
    const name = request.name.trim();
    if (name === '') throw new InputError('name: a token needs a name');
    if (request.expiresAt && request.expiresAt.getTime() <= this.#clock.now()) {
      throw new InputError('expiresAt: lies in the past');
    }
    const token = newSecret('otto');
    const row = await this.#db
      .insertInto('tokens')
      .values({
        id: newId('tok'),
        name,
        role: request.role,
        hash: sha256(token),
        created_by: actor.name,
        expires_at: request.expiresAt,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return { token, row };
  }

  /** The token's row, or undefined when it is unknown, expired or revoked. */
  async authenticate(token: string): Promise<TokenRow | undefined> {
    // Also keeps absurdly long headers away from the hash.
    if (!/^otto_[\w-]{43}$/.test(token)) return undefined;
    const hash = sha256(token);
    const cached = this.#cache.get(hash);
    if (cached && this.#clock.monotonic() - cached.at < cacheMs) return this.#usable(cached.row);
    const row = await this.#db
      .selectFrom('tokens')
      .selectAll()
      .where('hash', '=', hash)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    return this.#remember(row && sameText(row.hash, hash) ? row : undefined, hash);
  }

  /** The row of a token that proved itself earlier (a session names it by id), under the same conditions. */
  async authenticateId(id: string): Promise<TokenRow | undefined> {
    for (const { row, at } of this.#cache.values()) {
      if (row.id === id && this.#clock.monotonic() - at < cacheMs) return this.#usable(row);
    }
    const row = await this.#db
      .selectFrom('tokens')
      .selectAll()
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    return this.#remember(row, row?.hash ?? '');
  }

  /** Takes effect here at once, at other control planes within five seconds. Revoking twice is harmless. */
  async revoke(id: string, _actor: Actor): Promise<TokenRow> {
    for (const [hash, { row }] of this.#cache) if (row.id === id) this.#cache.delete(hash);
    const row = await this.#db
      .updateTable('tokens')
      .set((set) => ({ revoked_at: set.fn.coalesce('revoked_at', set.fn<Date>('now')) }))
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst();
    if (!row) throw new OttoError('TOKEN_NOT_FOUND', `there is no token ${id}`);
    for (const [hash, cached] of this.#cache) if (cached.row.id === id) this.#cache.delete(hash);
    return row;
  }

  async list(): Promise<TokenRow[]> {
    return await this.#db.selectFrom('tokens').selectAll().orderBy('created_at', 'desc').execute();
  }

  async #remember(row: TokenRow | undefined, hash: string): Promise<TokenRow | undefined> {
    if (!row || !this.#usable(row)) {
      this.#cache.delete(hash);
      return undefined;
    }
    if (this.#cache.size >= cacheEntries) this.#cache.clear();
    this.#cache.set(hash, { row, at: this.#clock.monotonic() });
    await this.#touch(row);
    return row;
  }

  #usable(row: TokenRow): TokenRow | undefined {
    return row.expires_at && row.expires_at.getTime() <= this.#clock.now() ? undefined : row;
  }

  /** Notes the use, at most once a minute: a write a request would be a write too many. */
  async #touch(row: TokenRow): Promise<void> {
    const now = this.#clock.now();
    if (row.last_used_at && now - row.last_used_at.getTime() < 60_000) return;
    await this.#db
      .updateTable('tokens')
      .set({ last_used_at: new Date(now) })
      .where('id', '=', row.id)
      .where((or) => or.or([or('last_used_at', 'is', null), or('last_used_at', '<', new Date(now - 60_000))]))
      .execute();
  }
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
