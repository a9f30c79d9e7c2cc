import type { Random } from '../engine/random.js';
import type { Session } from '../engine/sessions.js';
import type { Dimensions } from './dimensions.js';
import type { Draws } from './fields.js';

interface Line {
  item: number;
  supplyWarehouse: number;
  quantity: number;
}

/** Clause 2.4.1. */
export interface NewOrderInput {
  warehouse: number;
  district: number;
  customer: number;
  lines: Line[];
}

export function drawNewOrder(warehouse: number, random: Random, draws: Draws, d: Dimensions): NewOrderInput {
  const district = random.int(1, d.districts);
  const customer = draws.customer();
  const lines = Array.from({ length: random.int(5, 15) }, () => ({
    item: draws.item(),
    supplyWarehouse: random.chance(0.01) ? otherWarehouse(warehouse, random, d) : warehouse,
    quantity: random.int(1, 10),
  }));
  // Every transaction takes stock rows in one order, so that two of them cannot wait for each other.
  lines.sort((a, b) => a.supplyWarehouse - b.supplyWarehouse || a.item - b.item);
  // 1 % name an item that does not exist, as their last: all work before it is rolled back (clause 2.4.1.4).
  if (random.chance(0.01)) lines.at(-1)!.item = d.items + 1;
  return { warehouse, district, customer, lines };
}

/** Any other warehouse with equal chance; the same one where there is no other. */
export function otherWarehouse(home: number, random: Random, d: Dimensions): number {
  if (d.warehouses === 1) return home;
  const other = random.int(1, d.warehouses - 1);
  return other < home ? other : other + 1;
}

const sql = {
  customer: {
    name: 'tpcc_no_customer',
    text: `SELECT c.c_discount, c.c_last, c.c_credit, w.w_tax
             FROM tpcc.warehouse w JOIN tpcc.customer c ON c.c_w_id = w.w_id
            WHERE w.w_id = $1 AND c.c_d_id = $2 AND c.c_id = $3`,
  },
  district: {
    name: 'tpcc_no_district',
    text: `UPDATE tpcc.district SET d_next_o_id = d_next_o_id + 1
            WHERE d_w_id = $1 AND d_id = $2 RETURNING d_next_o_id - 1 AS o_id, d_tax`,
  },
  order: {
    name: 'tpcc_no_order',
    text: `INSERT INTO tpcc.orders (o_id, o_d_id, o_w_id, o_c_id, o_entry_d, o_ol_cnt, o_all_local)
           VALUES ($1, $2, $3, $4, now(), $5, $6)`,
  },
  newOrder: {
    name: 'tpcc_no_new_order',
    text: 'INSERT INTO tpcc.new_order (no_o_id, no_d_id, no_w_id) VALUES ($1, $2, $3)',
  },
  item: { name: 'tpcc_no_item', text: 'SELECT i_price, i_name, i_data FROM tpcc.item WHERE i_id = $1' },
  stock: {
    name: 'tpcc_no_stock',
    text: `UPDATE tpcc.stock
              SET s_quantity = CASE WHEN s_quantity >= $3 + 10 THEN s_quantity - $3 ELSE s_quantity - $3 + 91 END,
                  s_ytd = s_ytd + $3, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + $4
            WHERE s_w_id = $1 AND s_i_id = $2
        RETURNING s_quantity, s_data, s_dist_01, s_dist_02, s_dist_03, s_dist_04, s_dist_05,
                  s_dist_06, s_dist_07, s_dist_08, s_dist_09, s_dist_10`,
  },
  lines: {
    name: 'tpcc_no_lines',
    text: `INSERT INTO tpcc.order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity,
                                        ol_amount, ol_dist_info)
           SELECT $1, $2, $3, line.*
             FROM unnest($4::int[], $5::int[], $6::int[], $7::int[], $8::numeric[], $9::text[]) AS line`,
  },
};

/** Clause 2.4.2: a mid-weight read-write transaction, the backbone of the mix. */
export async function newOrder(
  session: Session,
  input: NewOrderInput,
  begin: string,
): Promise<'committed' | 'rolled back'> {
  const { warehouse, district, customer, lines } = input;
  await session.begin(begin);
  await session.query(sql.customer, [warehouse, district, customer]);
  const { rows } = await session.query<{ o_id: number }>(sql.district, [warehouse, district]);
  const order = rows[0]!.o_id;
  const allLocal = lines.every((line) => line.supplyWarehouse === warehouse) ? 1 : 0;
  await session.query(sql.order, [order, district, warehouse, customer, lines.length, allLocal]);
  await session.query(sql.newOrder, [order, district, warehouse]);

  const amounts: string[] = [];
  const distribution: string[] = [];
  for (const line of lines) {
    const item = await session.query<{ i_price: string }>(sql.item, [line.item]);
    const price = item.rows[0]?.i_price;
    if (price === undefined) {
      await session.rollback();
      return 'rolled back';
    }
    const remote = line.supplyWarehouse === warehouse ? 0 : 1;
    const stock = await session.query<Record<string, string>>(sql.stock, [
      line.supplyWarehouse,
      line.item,
      line.quantity,
      remote,
    ]);
    amounts.push((Number(price) * line.quantity).toFixed(2));
    distribution.push(stock.rows[0]![`s_dist_${String(district).padStart(2, '0')}`]!);
  }
  await session.query(sql.lines, [
    order,
    district,
    warehouse,
    lines.map((_, i) => i + 1),
    lines.map((line) => line.item),
    lines.map((line) => line.supplyWarehouse),
    lines.map((line) => line.quantity),
    amounts,
    distribution,
  ]);
  await session.commit();
  return 'committed';
}
