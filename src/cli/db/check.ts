import { OttoError } from '../../base/index.js';
import type { TargetView } from '../api-types.js';
import { command } from '../command.js';
import { findByName } from '../find.js';
import { printTarget } from './print-target.js';

export const checkCommand = () =>
  command({
    name: 'check',
    summary: 'connect to a target now; status 1 when it is not healthy',
    example: 'otto db check shop',
    args: [['<target>', 'name or id']],
    api: true,
    async run({ args, out, api }) {
      const client = await api();
      const { id } = await findByName<TargetView>(client, '/targets', args[0]!, 'target');
      const target = await client.post<TargetView>(`/targets/${encodeURIComponent(id)}/check`);
      out.result(target, () => printTarget(target, out));
      if (target.state !== 'HEALTHY') {
        throw new OttoError('TARGET_UNHEALTHY', `${target.name}: ${target.health?.error ?? target.state}`, {
          ...(target.health?.hint !== undefined && { hint: target.health.hint }),
        });
      }
    },
  });
