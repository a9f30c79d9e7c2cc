import type { Random } from '../engine/random.js';
import type { Session } from '../engine/sessions.js';
import type { Dimensions } from './dimensions.js';

/** Clause 2.7.1. */
export interface DeliveryInput {
  warehouse: number;
  carrier: number;
  districts: number;
}

export function drawDelivery(warehouse: number, random: Random, d: Dimensions): DeliveryInput {
  return { warehouse, carrier: random.int(1, 10), districts: d.districts };
}

const sql = {
  oldest: {
    name: 'tpcc_dl_oldest',
    text: `SELECT no_o_id FROM tpcc.new_order WHERE no_w_id = $1 AND no_d_id = $2 ORDER BY no_o_id LIMIT 1`,
  },
  take: {
    name: 'tpcc_dl_take',
    text: 'DELETE FROM tpcc.new_order WHERE no_w_id = $1 AND no_d_id = $2 AND no_o_id = $3',
  },
  order: {
    name: 'tpcc_dl_order',
    text: `UPDATE tpcc.orders SET o_carrier_id = $4 WHERE o_w_id = $1 AND o_d_id = $2 AND o_id = $3
        RETURNING o_c_id`,
  },
  lines: {
    name: 'tpcc_dl_lines',
    text: `WITH delivered AS (
             UPDATE tpcc.order_line SET ol_delivery_d = now()
              WHERE ol_w_id = $1 AND ol_d_id = $2 AND ol_o_id = $3 RETURNING ol_amount
           )
           SELECT coalesce(sum(ol_amount), 0) AS amount FROM delivered`,
  },
  customer: {
    name: 'tpcc_dl_customer',
    text: `UPDATE tpcc.customer SET c_balance = c_balance + $4, c_delivery_cnt = c_delivery_cnt + 1
            WHERE c_w_id = $1 AND c_d_id = $2 AND c_id = $3`,
  },
};

/** Clause 2.7.4, carried out at once rather than queued: the oldest order of each district is delivered. */
export async function delivery(
  session: Session,
  { warehouse, carrier, districts }: DeliveryInput,
  begin: string,
): Promise<'committed'> {
  await session.begin(begin);
  for (let district = 1; district <= districts; district++) {
    const order = await takeOldest(session, warehouse, district);
    if (order === undefined) continue;
    const customer = await session.query<{ o_c_id: number }>(sql.order, [
      warehouse,
      district,
      order,
      carrier,
    ]);
    const lines = await session.query<{ amount: string }>(sql.lines, [warehouse, district, order]);
    await session.query(sql.customer, [warehouse, district, customer.rows[0]!.o_c_id, lines.rows[0]!.amount]);
  }
  await session.commit();
  return 'committed';
}

/**
 * Takes the district's oldest undelivered order. Where another delivery took it while we waited for its row, the next
 * one is looked up; skipping locked rows instead would deliver out of order when the other one rolls back.
 */
async function takeOldest(
  session: Session,
  warehouse: number,
  district: number,
): Promise<number | undefined> {
  for (;;) {
    const { rows } = await session.query<{ no_o_id: number }>(sql.oldest, [warehouse, district]);
    if (!rows[0]) return undefined;
    const taken = await session.query(sql.take, [warehouse, district, rows[0].no_o_id]);
    if (taken.rowCount === 1) return rows[0].no_o_id;
  }
}
