import type { Random } from '../engine/random.js';

/** The skew that YCSB uses. */
const theta = 0.99;

/**
 * Ranks 0 … n − 1, rank 0 the most frequent, after Gray et al., "Quickly Generating Billion-Record Synthetic
 * Databases" (SIGMOD 1994), section 3.2. The number of ranks may grow between draws.
 */
export class Zipfian {
  #n = 0;
  #zeta = 0;
  readonly #zetaTwo = 1 + 0.5 ** theta;

  rank(n: number, random: Random): number {
    this.#grow(n);
    const u = random.float();
    const uz = u * this.#zeta;
    if (uz < 1) return 0;
    if (uz < this.#zetaTwo) return Math.min(1, n - 1);
    const alpha = 1 / (1 - theta);
    const eta = (1 - (2 / n) ** (1 - theta)) / (1 - this.#zetaTwo / this.#zeta);
    return Math.min(n - 1, Math.floor(n * (eta * u - eta + 1) ** alpha));
  }

  /** The sum of 1/i^θ only needs its new terms. */
  #grow(n: number): void {
    if (n < this.#n) {
      this.#n = 0;
      this.#zeta = 0;
    }
    for (let i = this.#n + 1; i <= n; i++) this.#zeta += 1 / i ** theta;
    this.#n = n;
  }
}
