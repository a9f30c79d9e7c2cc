import { InputError } from '../../../base/index.js';
import { withConnection } from '../../../postgres/index.js';
import type { BenchmarkReport, Isolation, RunOptions } from '../benchmark.js';
import { drive, type Work } from '../engine/drive.js';
import { checkMix, pick } from '../engine/mix.js';
import { Random } from '../engine/random.js';
import { checkRunOptions } from '../engine/run-options.js';
import { requireLoaded } from '../engine/schema.js';
import { type Session, Sessions } from '../engine/sessions.js';
import { delivery, drawDelivery } from './delivery.js';
import { type Dimensions, dimensions } from './dimensions.js';
import { type Constants, Draws, runConstants } from './fields.js';
import { constantsOfLoad } from './load.js';
import { drawNewOrder, newOrder } from './new-order.js';
import { drawOrderStatus, orderStatus } from './order-status.js';
import { drawPayment, payment } from './payment.js';
import { drawStockLevel, stockLevel } from './stock-level.js';

export const transactionTypes = ['new_order', 'payment', 'order_status', 'delivery', 'stock_level'] as const;
type TransactionType = (typeof transactionTypes)[number];

/** Clause 5.2.3: at least 43, 4, 4 and 4 %, the rest New-Order. */
const specifiedMix: Record<TransactionType, number> = {
  new_order: 45,
  payment: 43,
  order_status: 4,
  delivery: 4,
  stock_level: 4,
};

const beginOf: Record<Isolation, string> = {
  'read committed': 'BEGIN ISOLATION LEVEL READ COMMITTED',
  'repeatable read': 'BEGIN ISOLATION LEVEL REPEATABLE READ',
  serializable: 'BEGIN ISOLATION LEVEL SERIALIZABLE',
};

export async function runTpcc(url: string, options: RunOptions): Promise<BenchmarkReport> {
  const checked = checkRunOptions(options, 'tpcc run');
  if (typeof options.mix === 'string') {
    throw new InputError('tpcc run: mix must be weights by transaction type, such as {"payment": 1}');
  }
  const mix = options.mix ? checkMix(options.mix, transactionTypes, 'tpcc run: mix') : specifiedMix;
  const begin = beginOf[options.isolation ?? 'read committed'];

  const connecting = { applicationName: 'otto tpcc', signal: options.signal };
  const marker = await withConnection(url, connecting, (client) => requireLoaded(client, 'tpcc'));
  const d = dimensions(marker.scale);
  const constants = runConstants(new Random(checked.seed, 0xc0), constantsOfLoad(marker.seed));

  const driven = await drive({
    ...checked,
    sessions: new Sessions(url, {
      applicationName: 'otto tpcc',
      statementTimeoutMs: checked.statementTimeoutMs,
    }),
    types: transactionTypes,
    work: (n, connection) => draw(new Random(checked.seed, 0x77, n), connection, mix, constants, d, begin),
    signal: options.signal,
    progress: options.progress,
  });
  return { benchmark: 'tpcc', scale: marker.scale, ...driven };
}

/** A connection is a terminal: its warehouse is its own, and for Stock-Level so is its district (clause 2.8.1.1). */
function draw(
  random: Random,
  connection: number,
  mix: Record<TransactionType, number>,
  constants: Constants,
  d: Dimensions,
  begin: string,
): Work {
  const warehouse = (connection % d.warehouses) + 1;
  const district = (Math.floor(connection / d.warehouses) % d.districts) + 1;
  const draws = new Draws(random, constants, d);
  const type = pick(mix, random);
  const runs: Record<TransactionType, () => Work['run']> = {
    new_order: () => {
      const input = drawNewOrder(warehouse, random, draws, d);
      return (session: Session) => newOrder(session, input, begin);
    },
    payment: () => {
      const input = drawPayment(warehouse, random, draws, d);
      return (session: Session) => payment(session, input, begin);
    },
    order_status: () => {
      const input = drawOrderStatus(warehouse, random, draws, d);
      return (session: Session) => orderStatus(session, input, begin);
    },
    delivery: () => {
      const input = drawDelivery(warehouse, random, d);
      return (session: Session) => delivery(session, input, begin);
    },
    stock_level: () => {
      const input = drawStockLevel(warehouse, district, random);
      return (session: Session) => stockLevel(session, input, begin);
    },
  };
  return { type, run: runs[type]() };
}
