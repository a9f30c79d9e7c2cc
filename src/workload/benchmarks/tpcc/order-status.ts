import type { Random } from '../engine/random.js';
import type { Session } from '../engine/sessions.js';
import { type CustomerChoice, drawCustomer, findCustomer } from './customer.js';
import type { Dimensions } from './dimensions.js';
import type { Draws } from './fields.js';

/** Clause 2.6.1. */
export interface OrderStatusInput {
  warehouse: number;
  district: number;
  customer: CustomerChoice;
}

export function drawOrderStatus(
  warehouse: number,
  random: Random,
  draws: Draws,
  d: Dimensions,
): OrderStatusInput {
  return { warehouse, district: random.int(1, d.districts), customer: drawCustomer(random, draws) };
}

const sql = {
  lastOrder: {
    name: 'tpcc_os_order',
    text: `SELECT o_id, o_entry_d, o_carrier_id FROM tpcc.orders
            WHERE o_w_id = $1 AND o_d_id = $2 AND o_c_id = $3 ORDER BY o_id DESC LIMIT 1`,
  },
  lines: {
    name: 'tpcc_os_lines',
    text: `SELECT ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_delivery_d FROM tpcc.order_line
            WHERE ol_w_id = $1 AND ol_d_id = $2 AND ol_o_id = $3`,
  },
};

/** Clause 2.6.2: a customer's last order. Reads only. */
export async function orderStatus(
  session: Session,
  { warehouse, district, customer }: OrderStatusInput,
  begin: string,
): Promise<'committed'> {
  await session.begin(begin);
  const { c_id } = await findCustomer(session, warehouse, district, customer);
  const { rows } = await session.query<{ o_id: number }>(sql.lastOrder, [warehouse, district, c_id]);
  if (rows[0]) await session.query(sql.lines, [warehouse, district, rows[0].o_id]);
  await session.commit();
  return 'committed';
}
