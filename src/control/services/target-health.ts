import type { TargetRow } from '../../store/index.js';

/** What the last check of a target found. Everything is absent that could not be learnt. */
export interface TargetHealth {
  version?: string;
  major?: number;
  isStandby?: boolean;
  sizeBytes?: number;
  /** Open connections over all databases, and max_connections. */
  connections?: number;
  maxConnections?: number;
  /** Of the registered replica behind this server. */
  replicationLagBytes?: number;
  loggingCollector?: boolean;
  systemIdentifier?: string;
  captureMethods?: { method: string; possible: boolean; why: string; hint?: string }[];
  replica?: ReplicaHealth;
  /** Worth knowing, but nothing that stops work. */
  warnings?: string[];
  error?: string;
  hint?: string;
}

export interface ReplicaHealth {
  version?: string;
  isStandby?: boolean;
  /** The system identifiers are equal: it holds the same cluster. */
  ofThisPrimary?: boolean;
  lagBytes?: number;
  /** Age of the last transaction replayed while there is WAL to replay, ms. */
  lagMs?: number;
  error?: string;
}

export function readHealth(row: TargetRow): TargetHealth | undefined {
  return (row.health as TargetHealth | null) ?? undefined;
}
