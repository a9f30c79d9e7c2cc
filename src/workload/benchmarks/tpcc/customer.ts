import { OttoError } from '../../../base/index.js';
import type { Random } from '../engine/random.js';
import type { Session } from '../engine/sessions.js';
import type { Draws } from './fields.js';

/** Six times in ten a customer is named by last name, else by number (clauses 2.5.1.2 and 2.6.1.2). */
export type CustomerChoice = { id: number } | { lastName: string };

export function drawCustomer(random: Random, draws: Draws): CustomerChoice {
  return random.chance(0.6) ? { lastName: draws.lastName() } : { id: draws.customer() };
}

export interface CustomerRow {
  c_id: number;
  c_credit: string;
}

const columns = `c_id, c_first, c_middle, c_last, c_street_1, c_street_2, c_city, c_state, c_zip, c_phone, c_since,
                  c_credit, c_credit_lim, c_discount, c_balance`;
const sql = {
  byId: {
    name: 'tpcc_customer_by_id',
    text: `SELECT ${columns} FROM tpcc.customer WHERE c_w_id = $1 AND c_d_id = $2 AND c_id = $3`,
  },
  byName: {
    name: 'tpcc_customer_by_name',
    text: `SELECT ${columns} FROM tpcc.customer
            WHERE c_w_id = $1 AND c_d_id = $2 AND c_last = $3 ORDER BY c_first`,
  },
};

/** Of several with one last name, the one in the middle by first name (clause 2.5.2.2). */
export async function findCustomer(
  session: Session,
  warehouse: number,
  district: number,
  choice: CustomerChoice,
): Promise<CustomerRow> {
  const { rows } =
    'id' in choice
      ? await session.query<CustomerRow>(sql.byId, [warehouse, district, choice.id])
      : await session.query<CustomerRow>(sql.byName, [warehouse, district, choice.lastName]);
  const row = rows[Math.ceil(rows.length / 2) - 1];
  if (row) return row;
  throw new OttoError(
    'BENCHMARK_DATA_MISSING',
    `tpcc: no customer ${JSON.stringify(choice)} in warehouse ${warehouse}, district ${district}`,
    { hint: 'Load the benchmark again.' },
  );
}
