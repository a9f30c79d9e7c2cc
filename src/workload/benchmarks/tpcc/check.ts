import type { ConsistencyReport } from '../benchmark.js';
import { type ConditionQuery, checkConditions } from '../engine/check.js';

/**
 * Consistency conditions 1 to 4 of clause 3.3.2. Each query yields one row per group with `ok` and what was compared.
 * A district without undelivered orders has no newest one, so conditions 2 and 3 ask nothing of it there.
 */
const conditions: ConditionQuery[] = [
  {
    id: '1',
    text: 'A warehouse’s year-to-date amount is the sum of those of its districts (W_YTD = sum of D_YTD).',
    sql: `SELECT w_id, w_ytd, sum(d_ytd) AS sum_d_ytd, w_ytd IS NOT DISTINCT FROM sum(d_ytd) AS ok
            FROM tpcc.warehouse LEFT JOIN tpcc.district ON d_w_id = w_id GROUP BY w_id, w_ytd`,
  },
  {
    id: '2',
    text: 'A district’s next order number is one above its newest order and its newest undelivered order (D_NEXT_O_ID - 1 = max(O_ID) = max(NO_O_ID)).',
    sql: `SELECT d_w_id, d_id, d_next_o_id, o.newest AS max_o_id, n.newest AS max_no_o_id,
                 d_next_o_id - 1 IS NOT DISTINCT FROM o.newest
                   AND (n.newest IS NULL OR d_next_o_id - 1 = n.newest) AS ok
            FROM tpcc.district
            LEFT JOIN (SELECT o_w_id, o_d_id, max(o_id) AS newest FROM tpcc.orders GROUP BY 1, 2) o
              ON o_w_id = d_w_id AND o_d_id = d_id
            LEFT JOIN (SELECT no_w_id, no_d_id, max(no_o_id) AS newest FROM tpcc.new_order GROUP BY 1, 2) n
              ON no_w_id = d_w_id AND no_d_id = d_id`,
  },
  {
    id: '3',
    text: 'The undelivered orders of a district are numbered without a gap (max(NO_O_ID) - min(NO_O_ID) + 1 = their count).',
    sql: `SELECT no_w_id, no_d_id, min(no_o_id) AS min_no_o_id, max(no_o_id) AS max_no_o_id, count(*) AS rows,
                 max(no_o_id) - min(no_o_id) + 1 = count(*) AS ok
            FROM tpcc.new_order GROUP BY 1, 2`,
  },
  {
    id: '4',
    text: 'The orders of a district count as many lines as it has (sum of O_OL_CNT = number of order lines).',
    sql: `SELECT d_w_id, d_id, o.lines AS sum_o_ol_cnt, l.lines AS order_lines, o.lines IS NOT DISTINCT FROM l.lines AS ok
            FROM tpcc.district
            LEFT JOIN (SELECT o_w_id, o_d_id, sum(o_ol_cnt) AS lines FROM tpcc.orders GROUP BY 1, 2) o
              ON o_w_id = d_w_id AND o_d_id = d_id
            LEFT JOIN (SELECT ol_w_id, ol_d_id, count(*) AS lines FROM tpcc.order_line GROUP BY 1, 2) l
              ON ol_w_id = d_w_id AND ol_d_id = d_id`,
  },
];

export async function checkTpcc(
  url: string,
  options: { signal?: AbortSignal } = {},
): Promise<ConsistencyReport> {
  return await checkConditions(url, 'tpcc', () => conditions, options.signal);
}
