import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { JumpableRandomGenerator } from 'pure-rand/types/JumpableRandomGenerator';

/** The finaliser of MurmurHash3: every input bit reaches every output bit. */
function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * A stream of random numbers named by integers: the same names give the same stream, neighbouring names unrelated
 * ones. So the n-th transaction of a run is the same whichever connection gets to carry it out.
 */
export class Random {
  readonly #generator: JumpableRandomGenerator;

  constructor(...names: number[]) {
    let state = names.length;
    for (const name of names) {
      state = mix32(state ^ mix32(name ^ 0x9e3779b9));
      state = mix32(state + Math.floor(name / 0x1_0000_0000));
    }
    const word = (n: number) => mix32(state + Math.imul(n, 0x9e3779b9));
    this.#generator = xoroshiro128plusFromState([word(1), word(2), word(3), word(4) | 1]);
  }

  /** Uniform over low..high, both included. */
  int(low: number, high: number): number {
    return uniformInt(this.#generator, low, high);
  }

  /** Uniform over [0, 1). */
  float(): number {
    return uniformFloat64(this.#generator);
  }

  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** `low`..`high` characters, each of `alphabet` (at most 64 characters long). */
  text(low: number, high: number, alphabet: string): string {
    let left = low === high ? low : this.int(low, high);
    const size = alphabet.length;
    let out = '';
    // Four characters out of one draw. A byte spread over 62 letters favours some slightly: no query can see it.
    while (left > 0) {
      let bits = this.#generator.next();
      for (let i = 0; i < 4 && left > 0; i++, left--) {
        out += alphabet[((bits & 0xff) * size) >> 8];
        bits >>>= 8;
      }
    }
    return out;
  }

  /** A permutation of 1..n. */
  permutation(n: number): number[] {
    const values = Array.from({ length: n }, (_, i) => i + 1);
    for (let i = n - 1; i > 0; i--) {
      const j = this.int(0, i);
      const swap = values[i]!;
      values[i] = values[j]!;
      values[j] = swap;
    }
    return values;
  }
}

export const digits = '0123456789';
export const alphanumerics = `abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ${digits}`;
