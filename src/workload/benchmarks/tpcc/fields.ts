import { alphanumerics, digits, type Random } from '../engine/random.js';
import type { Dimensions } from './dimensions.js';

/** Clause 4.3.2.3. */
const syllables = ['BAR', 'OUGHT', 'ABLE', 'PRI', 'PRES', 'ESE', 'ANTI', 'CALLY', 'ATION', 'EING'];

/** The last name of a number 0 … 999: one syllable for each of its three digits. */
export function lastName(number: number): string {
  const digit = (power: number) => syllables[Math.floor(number / power) % 10]!;
  return digit(100) + digit(10) + digit(1);
}

/** Clause 2.1.6: a value of x … y, some of them much more often than others. `c` shifts which. */
export function nonUniform(random: Random, a: number, x: number, y: number, c: number): number {
  return (((random.int(0, a) | random.int(x, y)) + c) % (y - x + 1)) + x;
}

/** The specified `A`, brought down with the range at scales below 1 so that the skew stays about the same. */
function spread(specified: number, range: number, specifiedRange: number): number {
  const wanted = Math.max(1, (specified * range) / specifiedRange);
  return Math.min(specified, 2 ** Math.round(Math.log2(wanted + 1)) - 1);
}

/** The constants C of a load or a run. */
export interface Constants {
  lastName: number;
  customer: number;
  item: number;
}

export function loadConstants(random: Random): Constants {
  return { lastName: random.int(0, 255), customer: random.int(0, 1023), item: random.int(0, 8191) };
}

/** Those of a run, for data that was loaded with `load`. Clause 2.1.6.1 keeps the two C of last names apart. */
export function runConstants(random: Random, load: Constants): Constants {
  const allowed = Array.from({ length: 256 }, (_, c) => c).filter((c) => {
    const delta = Math.abs(c - load.lastName);
    return delta >= 65 && delta <= 119 && delta !== 96 && delta !== 112;
  });
  return { ...loadConstants(random), lastName: allowed[random.int(0, allowed.length - 1)]! };
}

/** The skewed draws of a database of these dimensions. */
export class Draws {
  readonly #random: Random;
  readonly #constants: Constants;
  readonly #d: Dimensions;

  constructor(random: Random, constants: Constants, dimensions: Dimensions) {
    this.#random = random;
    this.#constants = constants;
    this.#d = dimensions;
  }

  customer(): number {
    const n = this.#d.customersPerDistrict;
    return nonUniform(this.#random, spread(1023, n, 3000), 1, n, this.#constants.customer);
  }

  item(): number {
    const n = this.#d.items;
    return nonUniform(this.#random, spread(8191, n, 100_000), 1, n, this.#constants.item);
  }

  lastName(): string {
    const n = this.#d.lastNames;
    return lastName(nonUniform(this.#random, spread(255, n, 1000), 0, n - 1, this.#constants.lastName));
  }
}

/** Cents as a numeric literal. */
export function money(cents: number): string {
  return (cents / 100).toFixed(2);
}

export function text(random: Random, low: number, high: number): string {
  return random.text(low, high, alphanumerics);
}

export function digitText(random: Random, length: number): string {
  return random.text(length, length, digits);
}

/** Clause 4.3.2.7. */
export function zip(random: Random): string {
  return `${digitText(random, 4)}11111`;
}

/** 26 to 50 characters; one row in ten has ORIGINAL somewhere inside (clause 4.3.3.1). */
export function itemData(random: Random): string {
  const data = text(random, 26, 50);
  if (!random.chance(0.1)) return data;
  const at = random.int(0, data.length - 8);
  return `${data.slice(0, at)}ORIGINAL${data.slice(at + 8)}`;
}

/** Street, street, city, state, zip. */
export function address(random: Random): [string, string, string, string, string] {
  return [
    text(random, 10, 20),
    text(random, 10, 20),
    text(random, 10, 20),
    random.text(2, 2, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'),
    zip(random),
  ];
}
