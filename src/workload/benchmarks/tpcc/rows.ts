import type { Cell } from '../engine/bulk-insert.js';
import type { Random } from '../engine/random.js';
import type { Dimensions } from './dimensions.js';
import { address, type Constants, Draws, digitText, itemData, lastName, money, text } from './fields.js';

type Rows = Generator<Cell[]>;

/** Fixed, so that the same seed gives the same data on any day. */
const loadedOn = '2026-01-01T00:00:00Z';

/** Clause 4.3.3.1: the initial population. Each generator has a random stream of its own. */
export function* items(d: Dimensions, random: Random): Rows {
  for (let id = 1; id <= d.items; id++) {
    yield [id, random.int(1, 10_000), text(random, 14, 24), money(random.int(100, 10_000)), itemData(random)];
  }
}

export function* warehouse(w: number, d: Dimensions, random: Random): Rows {
  // 300 000.00 as specified: ten for each customer, so that condition 1 also holds at scales below 1.
  const ytd = money(d.districts * d.customersPerDistrict * 1000);
  yield [w, text(random, 6, 10), ...address(random), rate(random, 2000), ytd];
}

export function* districts(w: number, d: Dimensions, random: Random): Rows {
  for (let id = 1; id <= d.districts; id++) {
    yield [
      id,
      w,
      text(random, 6, 10),
      ...address(random),
      rate(random, 2000),
      money(d.customersPerDistrict * 1000),
      d.customersPerDistrict + 1,
    ];
  }
}

export function* stock(w: number, d: Dimensions, random: Random): Rows {
  for (let item = 1; item <= d.items; item++) {
    const row: Cell[] = [item, w, random.int(10, 100)];
    for (let district = 1; district <= 10; district++) row.push(text(random, 24, 24));
    row.push(0, 0, 0, itemData(random));
    yield row;
  }
}

export function* customers(
  w: number,
  district: number,
  d: Dimensions,
  random: Random,
  constants: Constants,
): Rows {
  const draws = new Draws(random, constants, d);
  for (let id = 1; id <= d.customersPerDistrict; id++) {
    yield [
      id,
      district,
      w,
      text(random, 8, 16),
      'OE',
      id <= d.lastNames ? lastName(id - 1) : draws.lastName(),
      ...address(random),
      digitText(random, 16),
      loadedOn,
      random.chance(0.1) ? 'BC' : 'GC',
      '50000.00',
      rate(random, 5000),
      '-10.00',
      '10.00',
      1,
      0,
      text(random, 300, 500),
    ];
  }
}

export function* history(w: number, district: number, d: Dimensions, random: Random): Rows {
  for (let customer = 1; customer <= d.customersPerDistrict; customer++) {
    yield [customer, district, w, district, w, loadedOn, '10.00', text(random, 12, 24)];
  }
}

/** Orders and their lines come from the same draws, so both are made from one list of line counts. */
export function lineCounts(d: Dimensions, random: Random): number[] {
  return Array.from({ length: d.customersPerDistrict }, () => random.int(5, 15));
}

export function* orders(
  w: number,
  district: number,
  d: Dimensions,
  random: Random,
  counts: readonly number[],
): Rows {
  const customerOf = random.permutation(d.customersPerDistrict);
  for (let id = 1; id <= d.customersPerDistrict; id++) {
    const carrier = id <= d.deliveredPerDistrict ? random.int(1, 10) : null;
    yield [id, district, w, customerOf[id - 1]!, loadedOn, carrier, counts[id - 1]!, 1];
  }
}

export function* newOrders(w: number, district: number, d: Dimensions): Rows {
  for (let id = d.deliveredPerDistrict + 1; id <= d.customersPerDistrict; id++) yield [id, district, w];
}

export function* orderLines(
  w: number,
  district: number,
  d: Dimensions,
  random: Random,
  counts: readonly number[],
): Rows {
  for (let order = 1; order <= d.customersPerDistrict; order++) {
    const delivered = order <= d.deliveredPerDistrict;
    for (let line = 1; line <= counts[order - 1]!; line++) {
      yield [
        order,
        district,
        w,
        line,
        random.int(1, d.items),
        w,
        delivered ? loadedOn : null,
        5,
        delivered ? '0.00' : money(random.int(1, 999_999)),
        text(random, 24, 24),
      ];
    }
  }
}

/** 0 … limit ten-thousandths. */
function rate(random: Random, limit: number): string {
  return (random.int(0, limit) / 10_000).toFixed(4);
}
