import type { Address, TargetView } from '../api/types.js';
import { formatBytes } from '../lib/format.js';
import { Badge } from './values.js';

export const addressText = (address: Address): string =>
  `${address.user}@${address.host}:${address.port}/${address.database}`;

export const ProductionBadge = ({ production }: { production: boolean }) =>
  production ? (
    <Badge tone="warn" title="Nothing is ever replayed against it.">
      production
    </Badge>
  ) : (
    <Badge title="May be used for experiments.">not production</Badge>
  );

/** One line on a target's health. */
export function healthLine(target: TargetView): string {
  const health = target.health;
  if (!health) return 'Not checked yet';
  if (health.error) return health.error;
  return [
    health.version && `PostgreSQL ${health.version}`,
    health.sizeBytes !== undefined && formatBytes(health.sizeBytes),
    health.connections !== undefined &&
      health.maxConnections !== undefined &&
      `${health.connections} of ${health.maxConnections} connections`,
  ]
    .filter(Boolean)
    .join(' · ');
}
