import type { Random } from '../engine/random.js';
import type { Session } from '../engine/sessions.js';

/** Clause 2.8.1. */
export interface StockLevelInput {
  warehouse: number;
  district: number;
  threshold: number;
}

export function drawStockLevel(warehouse: number, district: number, random: Random): StockLevelInput {
  return { warehouse, district, threshold: random.int(10, 20) };
}

const sql = {
  nextOrder: {
    name: 'tpcc_sl_next',
    text: 'SELECT d_next_o_id FROM tpcc.district WHERE d_w_id = $1 AND d_id = $2',
  },
  low: {
    name: 'tpcc_sl_low',
    text: `SELECT count(DISTINCT s.s_i_id) AS low_stock
             FROM tpcc.order_line l JOIN tpcc.stock s ON s.s_w_id = l.ol_w_id AND s.s_i_id = l.ol_i_id
            WHERE l.ol_w_id = $1 AND l.ol_d_id = $2 AND l.ol_o_id >= $3 - 20 AND l.ol_o_id < $3
              AND s.s_quantity < $4`,
  },
};

/** Clause 2.8.2: how many of the items of the last 20 orders run low. Reads only, and reads much. */
export async function stockLevel(
  session: Session,
  { warehouse, district, threshold }: StockLevelInput,
  begin: string,
): Promise<'committed'> {
  await session.begin(begin);
  const { rows } = await session.query<{ d_next_o_id: number }>(sql.nextOrder, [warehouse, district]);
  await session.query(sql.low, [warehouse, district, rows[0]!.d_next_o_id, threshold]);
  await session.commit();
  return 'committed';
}
