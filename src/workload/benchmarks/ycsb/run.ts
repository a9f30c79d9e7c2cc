import { withConnection } from '../../../postgres/index.js';
import type { BenchmarkReport, RunOptions } from '../benchmark.js';
import { drive, type Work } from '../engine/drive.js';
import { pick } from '../engine/mix.js';
import { Random } from '../engine/random.js';
import { checkRunOptions } from '../engine/run-options.js';
import { requireLoaded } from '../engine/schema.js';
import { type Session, Sessions } from '../engine/sessions.js';
import { Keys, keyOf } from './keys.js';
import { fieldCount, fieldValue, sql } from './table.js';
import { type Operation, operations, type Workload, workloadOf } from './workloads.js';

const maxScan = 100;
/** Share of requests for records that are not there above which the report says so. */
const missingLimit = 0.001;

export async function runYcsb(url: string, options: RunOptions): Promise<BenchmarkReport> {
  const checked = checkRunOptions(options, 'ycsb run');
  const workload = workloadOf(options);
  const connecting = { applicationName: 'otto ycsb', signal: options.signal };
  const { marker, records } = await withConnection(url, connecting, async (client) => {
    const marker = await requireLoaded(client, 'ycsb');
    // The next number to be handed out: that many records were loaded or inserted by earlier runs.
    const { rows } = await client.query<{ records: number }>(
      'SELECT (last_value + is_called::int)::int AS records FROM ycsb.record_number',
    );
    return { marker, records: rows[0]!.records };
  });

  const keys = new Keys(records, workload.distribution);
  const missing = { count: 0 };
  const driven = await drive({
    ...checked,
    sessions: new Sessions(url, {
      applicationName: 'otto ycsb',
      statementTimeoutMs: checked.statementTimeoutMs,
    }),
    types: operations,
    work: (n) => draw(new Random(checked.seed, 0x79, n), workload, keys, missing),
    signal: options.signal,
    progress: options.progress,
  });
  const warnings = [...driven.warnings];
  if (missing.count > driven.completed * missingLimit) {
    warnings.push(
      `${missing.count} requests were for records that are not there: inserts of an earlier run, or of another process now, failed or were not finished. Load again for a clean run.`,
    );
  }
  return { benchmark: 'ycsb', scale: marker.scale, ...driven, warnings };
}

function draw(random: Random, { mix }: Workload, keys: Keys, missing: { count: number }): Work {
  const type = pick(mix, random);
  const found = (rows: number | null) => {
    if (rows === 0) missing.count += 1;
  };
  const works: Record<Operation, () => Work['run']> = {
    read: () => {
      const key = keys.draw(random);
      return async (session) => {
        found((await session.query(sql.read, [key])).rowCount);
        return 'committed';
      };
    },
    update: () => {
      const key = keys.draw(random);
      const { statement, value } = drawUpdate(random);
      return async (session) => {
        found((await session.query(statement, [key, value])).rowCount);
        return 'committed';
      };
    },
    insert: () => {
      const values = Array.from({ length: fieldCount }, () => fieldValue(random));
      return (session) => insert(session, values, keys);
    },
    scan: () => {
      const key = keys.draw(random);
      const length = random.int(1, maxScan);
      return async (session) => {
        await session.query(sql.scan, [key, length]);
        return 'committed';
      };
    },
    read_modify_write: () => {
      const key = keys.draw(random);
      const { statement, value } = drawUpdate(random);
      return async (session) => {
        await session.begin();
        found((await session.query(sql.read, [key])).rowCount);
        await session.query(statement, [key, value]);
        await session.commit();
        return 'committed';
      };
    },
  };
  return { type, run: works[type]() };
}

function drawUpdate(random: Random) {
  return { statement: sql.updates[random.int(0, fieldCount - 1)]!, value: fieldValue(random) };
}

async function insert(session: Session, values: readonly string[], keys: Keys): Promise<'committed'> {
  const { rows } = await session.query<{ record: number }>(sql.nextRecord);
  const { record } = rows[0]!;
  await session.query(sql.insert, [keyOf(record), ...values]);
  keys.acknowledge(record);
  return 'committed';
}
