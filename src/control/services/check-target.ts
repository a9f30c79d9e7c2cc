import type pg from 'pg';
import { OttoError } from '../../base/index.js';
import { connect, describeServer, type ServerInfo } from '../../postgres/index.js';
import { captureMethods, type MethodVerdict } from '../../workload/index.js';
import type { ReplicaHealth, TargetHealth } from './target-health.js';

const checkMs = 15_000;
const statementTimeoutMs = 5_000;

interface Limits {
  signal: AbortSignal;
  connectTimeoutMs: number;
}

const connectionsSql = `
  select (select sum(numbackends) from pg_stat_database)::int as connections,
         current_setting('max_connections')::int as "maxConnections"`;

const replayedSql = `
  select pg_last_wal_replay_lsn()::text as lsn,
         case when pg_last_wal_receive_lsn() is not distinct from pg_last_wal_replay_lsn() then 0
              else extract(epoch from now() - pg_last_xact_replay_timestamp()) * 1000 end::float8 as "lagMs"`;

/**
 * Looks at a target's servers, read-only. Never throws: a server that cannot be reached is a finding (`error`), not a
 * failure. Ends within 15 s, whatever the network does.
 */
export async function checkTarget(
  access: { primaryUrl: string; replicaUrl?: string },
  connectTimeoutMs: number,
): Promise<TargetHealth> {
  const signal = AbortSignal.timeout(checkMs);
  const limits = { signal, connectTimeoutMs };
  try {
    return await withClient(access.primaryUrl, limits, async (primary) => {
      const info = await describeServer(primary);
      const { rows } = await primary.query(connectionsSql);
      const health: TargetHealth = {
        version: info.version,
        major: info.major,
        isStandby: info.isStandby,
        sizeBytes: info.sizeBytes,
        ...(rows[0] as { connections: number; maxConnections: number }),
        loggingCollector: info.loggingCollector,
        ...(info.systemIdentifier !== null && { systemIdentifier: info.systemIdentifier }),
        captureMethods: await askCaptureMethods(access.primaryUrl, signal),
        warnings: warningsOf(info),
      };
      if (access.replicaUrl === undefined) return health;
      const replica = await checkReplica(access.replicaUrl, limits, info, primary);
      if (replica.isStandby && replica.ofThisPrimary === undefined) {
        health.warnings?.push(
          'this role may not read the system identifier (pg_control_system): whether the replica is one of this primary is not verified',
        );
      }
      return {
        ...health,
        replica,
        replicationLagBytes: replica.lagBytes,
        ...(replica.error !== undefined && { error: `replica: ${replica.error}` }),
      };
    });
  } catch (error) {
    const { message, hint } = explain(error, signal);
    return { error: message, ...(hint !== undefined && { hint }) };
  }
}

/** A server that cannot be asked about one thing is not a server that is down. */
async function askCaptureMethods(url: string, signal: AbortSignal): Promise<MethodVerdict[]> {
  try {
    return await captureMethods(url, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    return [{ method: 'log', possible: false, why: explain(error, signal).message }];
  }
}

async function checkReplica(
  url: string,
  limits: Limits,
  primary: ServerInfo,
  primaryClient: pg.Client,
): Promise<ReplicaHealth> {
  try {
    return await withClient(url, limits, async (client) => {
      const info = await describeServer(client);
      const found: ReplicaHealth = { version: info.version, isStandby: info.isStandby };
      if (info.systemIdentifier !== null && primary.systemIdentifier !== null) {
        found.ofThisPrimary = info.systemIdentifier === primary.systemIdentifier;
      }
      if (!info.isStandby) return { ...found, error: 'it is not a standby: it accepts writes of its own' };
      if (found.ofThisPrimary === false) {
        return { ...found, error: 'it is a standby of another server (system identifiers differ)' };
      }
      const { rows } = await client.query(replayedSql);
      const { lsn, lagMs } = rows[0] as { lsn: string | null; lagMs: number | null };
      if (lagMs !== null) found.lagMs = lagMs;
      // Asked after the replica, so that the distance is never negative. A cascading source has no current LSN.
      if (lsn !== null && !primary.isStandby) {
        const lag = await primaryClient.query(
          'select greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), $1), 0)::float8 as bytes',
          [lsn],
        );
        found.lagBytes = (lag.rows[0] as { bytes: number }).bytes;
      }
      return found;
    });
  } catch (error) {
    return { error: explain(error, limits.signal).message };
  }
}

function warningsOf(info: ServerInfo): string[] {
  const warnings: string[] = [];
  if (info.isStandby) {
    warnings.push(
      'this server is a standby: its settings are changed and its writes are captured at its primary',
    );
  }
  return warnings;
}

async function withClient<T>(
  url: string,
  { signal, connectTimeoutMs }: Limits,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connect(url, {
    applicationName: 'ottopilot check',
    connectTimeoutMs,
    statementTimeoutMs,
    signal,
  });
  // A server that falls silent in the middle of a query would be waited for as long as TCP does.
  const abort = () => void client.end().catch(() => {});
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await work(client);
  } finally {
    signal.removeEventListener('abort', abort);
    await client.end().catch(() => {});
  }
}

function explain(error: unknown, signal: AbortSignal): { message: string; hint?: string } {
  if (signal.aborted) {
    return {
      message: `the server did not answer within ${checkMs / 1000} s`,
      hint: 'Is a firewall in between? Is the server overloaded?',
    };
  }
  const { message, hint, cause } = OttoError.from(error);
  // Several addresses were tried: Node words that as an error without a message.
  const text =
    message === '' ? String((cause as { code?: unknown } | undefined)?.code ?? 'unknown error') : message;
  return { message: text, ...(hint !== undefined && { hint }) };
}
