import { type Logger, OttoError, silentLogger, systemClock } from '../../base/index.js';
import { throwIfCancelled } from '../backup/copy-files.js';
import { connect } from '../connect.js';
import { describeServer } from '../describe-server.js';
import { findInstallations, type Installation } from '../installations.js';
import { type CloneFolder, makeCloneFolder } from './clone-folder.js';
import { considerMethods, type Plans } from './consider.js';
import { dropClone } from './drop-clone.js';
import { backupClone, dumpClone, emptyClone, type Made, type MakeContext, templateClone } from './make.js';
import type { CloneMethod, CloneRequest, CloneResult } from './types.js';

/**
 * Makes an exploratory copy of a database server: a server of its own under `root`/clones/`id` (for `template`: a
 * database in a server that is there), started, out of recovery, writable. On any failure, and on abort, nothing of it
 * is left.
 *
 * Let in through its socket without a password, through loopback with the password that a role has at the source; a
 * copy never contacts other servers (no replication, no archiving, no subscriptions).
 * @throws OttoError CLONE_METHOD_UNAVAILABLE with the reason (never a silent change of method), CLONE_EXISTS, NO_SPACE,
 * WAL_GONE, TABLESPACES_CHANGED, BACKUP_FAILED, DUMP_FAILED, POSTGRES_START_FAILED, CANCELLED, and those of `connect`
 * where the source cannot be reached; InputError.
 */
export async function createClone(request: CloneRequest): Promise<CloneResult> {
  const logger = request.logger ?? silentLogger;
  const startedAt = systemClock.monotonic();
  throwIfCancelled(request.signal);
  const folder = await makeCloneFolder(request.root, request.id, request.key);
  try {
    const made = await make(request, folder, logger);
    return { ...made, seconds: (systemClock.monotonic() - startedAt) / 1000 };
  } catch (error) {
    await clearAway(request, logger);
    if (request.signal?.aborted)
      throw new OttoError('CANCELLED', 'making the clone was cancelled', { cause: error });
    throw OttoError.from(error, 'CLONE_FAILED');
  }
}

async function clearAway(request: CloneRequest, logger: Logger): Promise<void> {
  try {
    await dropClone(request.root, request.id, request.source && { url: request.source.url });
  } catch (error) {
    // It keeps its marker, so that it is found and dropped later; what went wrong first is the error to report.
    logger.error({ err: error, clone: request.id }, 'a clone that failed could not be cleared away yet');
  }
}

async function make(
  request: CloneRequest,
  folder: CloneFolder,
  logger: Logger,
): Promise<Omit<CloneResult, 'seconds'>> {
  const installations = await findInstallations();
  const { source } = request;
  if (source === undefined) return makeWithoutSource({ request, folder, logger, installations });
  const client = await connect(source.url, { signal: request.signal }).catch((error: OttoError) => {
    if (!(error instanceof OttoError)) throw error;
    throw new OttoError(error.code, `the ${source.role} cannot be copied: ${error.message}`, {
      ...error,
      cause: error,
    });
  });
  try {
    const info = await describeServer(client);
    const plans = await considerMethods({ request, client, info, installations, folder: folder.path });
    const method = choose(request, plans);
    const context: MakeContext = { request, folder, logger, installations, client, info };
    const made = await carryOut(method, plans, context);
    const chosen = plans.considered.find((row) => row.method === method)!.why;
    const role =
      source.role === 'replica' && !info.isStandby ? ['the source named as replica is a primary by now'] : [];
    const how = request.method === 'auto' ? `${method}: ${chosen}` : `${method} was asked for; ${chosen}`;
    return {
      ...made.result,
      method,
      why: [how, ...role, ...made.notes].join('; '),
      considered: plans.considered,
    };
  } finally {
    await client.end().catch(() => {});
  }
}

/** Never `empty` in the place of a copy; `template` only where the server is a clone of ours. */
function choose(request: CloneRequest, plans: Plans): CloneMethod {
  if (request.method !== 'auto') {
    const row = plans.considered.find(({ method }) => method === request.method)!;
    if (row.possible) return request.method;
    throw new OttoError('CLONE_METHOD_UNAVAILABLE', `${request.method} is not possible: ${row.why}`, {
      where: request.id,
      hint: 'Remove the obstacle, or choose another method ("auto" takes the best that is possible).',
    });
  }
  if (plans.backup) return 'backup';
  if (plans.dump) return 'dump';
  if (plans.template?.parentId !== undefined) return 'template';
  const reasons = plans.considered
    .filter(({ method }) => method !== 'empty')
    .map(({ method, why }) => `${method}: ${why}`);
  throw new OttoError('CLONE_METHOD_UNAVAILABLE', `the source cannot be copied (${reasons.join('; ')})`, {
    where: request.id,
    hint: 'Remove one of the obstacles, or ask for "empty" if nothing of the source is needed.',
  });
}

function carryOut(method: CloneMethod, plans: Plans, context: MakeContext): Promise<Made> {
  if (method === 'backup') return backupClone(context, plans.backup!);
  if (method === 'dump') return dumpClone(context, plans.dump!);
  if (method === 'template') return templateClone(context, plans.template!);
  const same = context.installations.find(({ major }) => major === context.info.major);
  return emptyClone(context, same ?? newest(context.installations));
}

async function makeWithoutSource(
  context: Omit<MakeContext, 'client' | 'info'>,
): Promise<Omit<CloneResult, 'seconds'>> {
  const { request, installations } = context;
  if (request.method !== 'empty' && request.method !== 'auto') {
    throw new OttoError('CLONE_METHOD_UNAVAILABLE', `${request.method} is not possible: no source is given`, {
      where: request.id,
      hint: 'Name the server to copy, or ask for "empty".',
    });
  }
  const { result, notes } = await emptyClone(context, newest(installations));
  const none = (['backup', 'dump', 'template'] as const).map((method) => ({
    method,
    possible: false,
    why: 'no source is given',
  }));
  const why = ['empty: no source is given', ...notes].join('; ');
  return {
    ...result,
    method: 'empty',
    why,
    considered: [...none, { method: 'empty', possible: true, why: 'it needs no source' }],
  };
}

function newest(installations: Installation[]): Installation {
  const first = installations[0];
  if (first) return first;
  throw new OttoError('POSTGRES_NOT_FOUND', 'no PostgreSQL was found on this machine', {
    hint: 'Install one, or let npm install the embedded one.',
  });
}
