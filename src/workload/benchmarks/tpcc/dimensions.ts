import { InputError } from '../../../base/index.js';

/** How many rows there are of what, for a scale. Clause 1.2.1 and 4.3.3.1 of the TPC-C specification at scale ≥ 1. */
export interface Dimensions {
  warehouses: number;
  districts: number;
  items: number;
  customersPerDistrict: number;
  /** Different last names: the first so many customers of a district have one each. */
  lastNames: number;
  /** Orders 1 … n of a district, one for each customer; the last three tenths are not delivered yet. */
  deliveredPerDistrict: number;
}

export const scaleHelp =
  'Whole numbers from 1: warehouses, as specified (about 100 MB each). Between 0.005 and 1: one warehouse with that ' +
  'share of the customers, orders, items and stock; its ten districts stay.';

/** @throws InputError for a scale that is neither a whole number from 1 up to 10 000 nor within 0.005 … 1. */
export function dimensions(scale: number): Dimensions {
  const small = scale >= 0.005 && scale < 1;
  if (!small && !(Number.isInteger(scale) && scale >= 1 && scale <= 10_000)) {
    throw new InputError(`tpcc: scale ${scale} is not possible`, { hint: scaleHelp });
  }
  const share = small ? scale : 1;
  const customersPerDistrict = Math.round(3000 * share);
  return {
    warehouses: small ? 1 : scale,
    districts: 10,
    items: Math.round(100_000 * share),
    customersPerDistrict,
    lastNames: Math.min(1000, customersPerDistrict),
    deliveredPerDistrict: Math.round(customersPerDistrict * 0.7),
  };
}

/** Rows over all nine tables; order lines are ten an order on average. */
export function expectedRows(d: Dimensions): number {
  const customers = d.warehouses * d.districts * d.customersPerDistrict;
  const undelivered = d.warehouses * d.districts * (d.customersPerDistrict - d.deliveredPerDistrict);
  const stock = d.warehouses * d.items;
  return d.items + d.warehouses * (1 + d.districts) + stock + customers * (3 + 10) + undelivered;
}
