import type { Random } from '../engine/random.js';
import { Zipfian } from './zipfian.js';

/** FNV-1a over the eight bytes of a number, 64 bits: spreads neighbouring numbers over the key space. */
export function hash64(value: number): bigint {
  let hash = 0xcbf29ce484222325n;
  let rest = BigInt(value);
  for (let i = 0; i < 8; i++) {
    hash = BigInt.asUintN(64, (hash ^ (rest & 0xffn)) * 0x100000001b3n);
    rest >>= 8n;
  }
  return hash;
}

/** The key of the n-th record, as YCSB writes it with hashed inserts. */
export function keyOf(record: number): string {
  return `user${hash64(record)}`;
}

export type Distribution = 'zipfian' | 'latest' | 'uniform';

/**
 * Which records exist, and which of them a request is for. Records are known by number: first those that were there
 * when the run began, then those that this run inserted, in the order in which their inserts were acknowledged, so no
 * request is for a record that is not there yet.
 */
export class Keys {
  readonly #atStart: number;
  readonly #inserted: number[] = [];
  readonly #distribution: Distribution;
  readonly #zipfian = new Zipfian();

  constructor(atStart: number, distribution: Distribution) {
    this.#atStart = atStart;
    this.#distribution = distribution;
  }

  get count(): number {
    return this.#atStart + this.#inserted.length;
  }

  acknowledge(record: number): void {
    this.#inserted.push(record);
  }

  draw(random: Random): string {
    return keyOf(this.#record(this.#position(random)));
  }

  #position(random: Random): number {
    const n = this.count;
    switch (this.#distribution) {
      case 'uniform':
        return random.int(0, n - 1);
      case 'latest':
        return n - 1 - this.#zipfian.rank(n, random);
      case 'zipfian':
        // Scrambled: the hot records lie all over the key space, not side by side.
        return Number(hash64(this.#zipfian.rank(this.#atStart, random)) % BigInt(n));
    }
  }

  #record(position: number): number {
    return position < this.#atStart ? position : this.#inserted[position - this.#atStart]!;
  }
}
