import type { Random } from '../engine/random.js';
import type { Session } from '../engine/sessions.js';
import { type CustomerChoice, drawCustomer, findCustomer } from './customer.js';
import type { Dimensions } from './dimensions.js';
import { type Draws, money } from './fields.js';
import { otherWarehouse } from './new-order.js';

/** Clause 2.5.1. */
export interface PaymentInput {
  warehouse: number;
  district: number;
  customerWarehouse: number;
  customerDistrict: number;
  customer: CustomerChoice;
  amount: string;
}

export function drawPayment(warehouse: number, random: Random, draws: Draws, d: Dimensions): PaymentInput {
  const district = random.int(1, d.districts);
  const remote = d.warehouses > 1 && random.chance(0.15);
  return {
    warehouse,
    district,
    customerWarehouse: remote ? otherWarehouse(warehouse, random, d) : warehouse,
    customerDistrict: remote ? random.int(1, d.districts) : district,
    customer: drawCustomer(random, draws),
    amount: money(random.int(100, 500_000)),
  };
}

const sql = {
  warehouse: {
    name: 'tpcc_pay_warehouse',
    text: `UPDATE tpcc.warehouse SET w_ytd = w_ytd + $2 WHERE w_id = $1
        RETURNING w_name, w_street_1, w_street_2, w_city, w_state, w_zip`,
  },
  district: {
    name: 'tpcc_pay_district',
    text: `UPDATE tpcc.district SET d_ytd = d_ytd + $3 WHERE d_w_id = $1 AND d_id = $2
        RETURNING d_name, d_street_1, d_street_2, d_city, d_state, d_zip`,
  },
  goodCredit: {
    name: 'tpcc_pay_customer',
    text: `UPDATE tpcc.customer
              SET c_balance = c_balance - $4, c_ytd_payment = c_ytd_payment + $4, c_payment_cnt = c_payment_cnt + 1
            WHERE c_w_id = $1 AND c_d_id = $2 AND c_id = $3`,
  },
  badCredit: {
    name: 'tpcc_pay_bad_customer',
    text: `UPDATE tpcc.customer
              SET c_balance = c_balance - $4, c_ytd_payment = c_ytd_payment + $4, c_payment_cnt = c_payment_cnt + 1,
                  c_data = left($5::text || c_data, 500)
            WHERE c_w_id = $1 AND c_d_id = $2 AND c_id = $3`,
  },
  history: {
    name: 'tpcc_pay_history',
    text: `INSERT INTO tpcc.history (h_c_id, h_c_d_id, h_c_w_id, h_d_id, h_w_id, h_date, h_amount, h_data)
           VALUES ($1, $2, $3, $4, $5, now(), $6, $7)`,
  },
};

/** Clause 2.5.2: light and frequent; every payment of a warehouse updates the same warehouse row. */
export async function payment(session: Session, input: PaymentInput, begin: string): Promise<'committed'> {
  const { warehouse, district, customerWarehouse, customerDistrict, amount } = input;
  await session.begin(begin);
  const w = await session.query<{ w_name: string }>(sql.warehouse, [warehouse, amount]);
  const d = await session.query<{ d_name: string }>(sql.district, [warehouse, district, amount]);
  const customer = await findCustomer(session, customerWarehouse, customerDistrict, input.customer);
  const key = [customerWarehouse, customerDistrict, customer.c_id];
  if (customer.c_credit === 'BC') {
    const note = `${customer.c_id} ${customerDistrict} ${customerWarehouse} ${district} ${warehouse} ${amount} `;
    await session.query(sql.badCredit, [...key, amount, note]);
  } else {
    await session.query(sql.goodCredit, [...key, amount]);
  }
  await session.query(sql.history, [
    customer.c_id,
    customerDistrict,
    customerWarehouse,
    district,
    warehouse,
    amount,
    `${w.rows[0]!.w_name}    ${d.rows[0]!.d_name}`,
  ]);
  await session.commit();
  return 'committed';
}
