import { OttoError } from '../../base/index.js';
import { connectionUrl, listClones } from '../../postgres/index.js';
import { cloneIdOf } from '../clone-id.js';
import type { CloneAccess, CommandContext } from '../command.js';

export const launchType = 'LAUNCH_EXPLORATORY_POSTGRES';

/**
 * The clone that a command of this run launched, and how to reach it. Refuses what is not: a clone of another worker,
 * and an entry that does not stand for a folder in this worker's root with our marker in it. So whatever a config
 * says, a production server is never taken for a clone.
 */
export async function cloneOf(
  context: CommandContext,
  launch: string,
): Promise<{ clone: CloneAccess; url: string }> {
  const clone = context.clones.find(({ command }) => command === launch);
  if (!clone) {
    const names = context.clones.map(({ command }) => command);
    throw new OttoError('NO_SUCH_CLONE', `${launch} has launched no clone of this run that is ready`, {
      hint:
        names.length > 0 ? `Ready are: ${names.join(', ')}.` : `Put a ${launchType} command before this one.`,
    });
  }
  assertOurs(context, clone);
  const known = await listClones(context.root);
  if (!known.some(({ id }) => id === clone.id)) {
    throw new OttoError('NOT_OUR_CLONE', `${clone.id} (${launch}) is not a clone in the root of this worker`);
  }
  return { clone, url: connectionUrl(clone.connection) };
}

/** Refuses a clone of another worker or run. */
export function assertOurs(context: CommandContext, clone: CloneAccess): void {
  if (clone.workerId !== context.workerId) {
    throw new OttoError('CLONE_ELSEWHERE', `the clone of ${clone.command} is at worker ${clone.workerId}`, {
      hint: 'Clones are reached by the worker that made them.',
    });
  }
  if (clone.id !== cloneIdOf(`${context.runId}/${clone.command}`)) {
    throw new OttoError(
      'NOT_OUR_CLONE',
      `${clone.id} is not the clone that ${clone.command} of this run makes`,
    );
  }
}
