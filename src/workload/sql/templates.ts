import { fingerprintSync, loadModule, normalizeSync, parseSync } from 'libpg-query';
import { sha256 } from '../../base/index.js';
import { type StatementShape, shapeOf } from './kinds.js';
import { literalFreeKey } from './literals.js';

export interface Template extends StatementShape {
  /** pg_query fingerprint, or `raw:` and a hash of the text where libpg_query cannot parse it. */
  fingerprint: string;
  /** Normalised text: literals replaced by `$n`. */
  text: string;
  parsed: boolean;
}

/** Statements longer than this are fingerprinted by their text: parsing them would hold up everything else. */
const longestParsed = 4 * 1024 * 1024;

/**
 * Finds the template of a statement. Parsing is done once for all texts that differ only in literals; the cache is
 * bounded.
 */
export class Templates {
  readonly #cache = new Map<string, Template>();
  readonly #texts = new Map<string, string>();
  readonly #limit: number;

  private constructor(limit: number) {
    this.#limit = limit;
  }

  /** Loads the parser (once for the process). */
  static async load(limit = 20_000): Promise<Templates> {
    await loadModule();
    return new Templates(limit);
  }

  of(sql: string): Template {
    const key = literalFreeKey(sql);
    const known = this.#cache.get(key);
    if (known) {
      // Most recently used last.
      this.#cache.delete(key);
      this.#cache.set(key, known);
      return known;
    }
    const template = this.#parse(sql);
    this.#cache.set(key, template);
    if (this.#cache.size > this.#limit) this.#cache.delete(this.#cache.keys().next().value as string);
    return template;
  }

  /** The text under which a fingerprint is shown: that of the first statement which had it. */
  #textOf(fingerprint: string, text: string): string {
    const known = this.#texts.get(fingerprint);
    if (known !== undefined) return known;
    if (this.#texts.size < 10 * this.#limit) this.#texts.set(fingerprint, text);
    return text;
  }

  #parse(sql: string): Template {
    if (sql.trim() === '') {
      return {
        fingerprint: 'raw:empty',
        text: '',
        parsed: true,
        kind: 'empty',
        effect: 'none',
        beginsFirst: false,
      };
    }
    try {
      if (sql.length > longestParsed) return unparsed(sql);
      const fingerprint = fingerprintSync(sql);
      const shape = shapeOf(parseSync(sql));
      return {
        fingerprint,
        text: this.#textOf(fingerprint, normalizeSync(sql).trim()),
        parsed: true,
        ...shape,
      };
    } catch {
      // Broken SQL is part of a workload: the server refused it too, or it is of another version.
      return unparsed(sql);
    }
  }
}

function unparsed(sql: string): Template {
  return {
    fingerprint: `raw:${sha256(sql).slice(0, 16)}`,
    text: sql,
    parsed: false,
    kind: 'unparsed',
    effect: 'none',
    beginsFirst: false,
  };
}
