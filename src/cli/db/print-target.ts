import { formatBytes } from '../../base/index.js';
import type { TargetView } from '../api-types.js';
import type { Output } from '../output.js';

export function addressText(address: TargetView['address'] | undefined): string | undefined {
  return address && `${address.user}@${address.host}:${address.port}/${address.database}`;
}

export function printTarget(target: TargetView, out: Output): void {
  const { health } = target;
  out.facts([
    ['name', target.name],
    ['id', target.id],
    ['state', target.state],
    ['address', addressText(target.address)],
    ['replica', addressText(target.replicaAddress)],
    ['production', target.production ? 'yes' : 'no'],
    ['version', health?.version],
    ['size', health?.sizeBytes === undefined ? undefined : formatBytes(health.sizeBytes)],
    [
      'connections',
      health?.connections === undefined ? undefined : `${health.connections} of ${health.maxConnections}`,
    ],
    ['checked', target.checkedAt],
    ['error', health?.error],
    ['', health?.hint],
  ]);
  for (const warning of health?.warnings ?? []) out.note(`warning: ${warning}`);
  for (const { method, possible, why } of health?.captureMethods ?? []) {
    out.line(`capture by ${method}: ${possible ? 'possible' : 'not possible'}: ${why}`);
  }
  for (const change of target.openChanges) {
    out.note(`open change: ${change.setting} = ${change.ours} on the ${change.server} (${change.reason})`);
  }
}
