import type { ConsistencyReport } from '../benchmark.js';
import { checkConditions } from '../engine/check.js';
import { recordsAt } from './load.js';
import { fieldBytes, fieldCount } from './table.js';

/** What must hold whatever ran: nothing lost of what was loaded, nothing half written. */
export async function checkYcsb(
  url: string,
  options: { signal?: AbortSignal } = {},
): Promise<ConsistencyReport> {
  const whole = Array.from({ length: fieldCount }, (_, i) => `length(field${i}) = ${fieldBytes}`).join(
    ' AND ',
  );
  return await checkConditions(
    url,
    'ycsb',
    ({ scale }) => [
      {
        id: 'records',
        text: 'No fewer records than were loaded, and no more than numbers were handed out.',
        sql: `SELECT count(*) AS records, ${recordsAt(scale)} AS loaded, (SELECT last_value FROM ycsb.record_number) + 1 AS numbers,
                     count(*) BETWEEN ${recordsAt(scale)} AND (SELECT last_value FROM ycsb.record_number) + 1 AS ok
                FROM ycsb.usertable`,
      },
      {
        id: 'fields',
        text: `Each record has ${fieldCount} fields of ${fieldBytes} characters.`,
        sql: `SELECT ycsb_key, ${whole} AS ok FROM ycsb.usertable`,
      },
    ],
    options.signal,
  );
}
