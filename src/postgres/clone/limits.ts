import { access, constants, readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { delimiter, join } from 'node:path';
import { formatBytes, InputError } from '../../base/index.js';
import type { CloneLimits } from './types.js';

/** Less and a server does not even start. */
const leastMemoryBytes = 64 * 1024 * 1024;
/** Below this the libraries and the shared memory alone would not fit into the address space. */
const leastAddressSpace = 512 * 1024 * 1024;
const blockBytes = 8192;

/** How limits are enforced: by settings, by a launcher before the server's command line, or not at all. */
export interface LimitPlan {
  settings: Record<string, string>;
  launcher: string[];
  notes: string[];
}

/** @param settings What the clone would have without limits; sizes in the settings' own units, as pg_settings has them. */
export async function planLimits(
  limits: CloneLimits | undefined,
  settings: Record<string, string>,
): Promise<LimitPlan> {
  const plan: LimitPlan = { settings: {}, launcher: [], notes: [] };
  if (limits?.cpuCores !== undefined) await limitCores(limits.cpuCores, plan);
  if (limits?.memoryBytes !== undefined) await limitMemory(limits.memoryBytes, settings, plan);
  if (limits?.maxConnections !== undefined) limitConnections(limits.maxConnections, plan);
  Object.assign(plan.settings, limits?.settings);
  return plan;
}

async function limitCores(cores: number, plan: LimitPlan): Promise<void> {
  if (!(cores > 0)) throw new InputError(`${cores} is not a number of processors`);
  const taskset = await findProgram('taskset');
  if (taskset === undefined) {
    plan.notes.push('cpuCores is not enforced: taskset was not found');
    return;
  }
  const allowed = await allowedCores();
  const count = Math.min(allowed.length, Math.max(1, Math.round(cores)));
  // From the end: the first ones serve most interrupts.
  plan.launcher.push(taskset, '--cpu-list', allowed.slice(-count).join(','));
  if (count !== cores)
    plan.notes.push(`it may run on ${count} whole processor${count === 1 ? '' : 's'} (${cores} asked for)`);
}

async function limitMemory(
  memoryBytes: number,
  settings: Record<string, string>,
  plan: LimitPlan,
): Promise<void> {
  if (!(memoryBytes >= leastMemoryBytes)) {
    throw new InputError(`${memoryBytes} bytes of memory are too few for a server`, {
      hint: `Give at least ${formatBytes(leastMemoryBytes)}.`,
    });
  }
  const shared = Math.floor(memoryBytes / 4 / blockBytes);
  plan.settings.shared_buffers = String(
    Math.max(16, Math.min(shared, Number(settings.shared_buffers ?? 16_384))),
  );
  // Kilobytes, the unit that a bare number of this setting has.
  const maintenance = Math.floor(memoryBytes / 16 / 1024);
  plan.settings.maintenance_work_mem = String(
    Math.min(maintenance, Number(settings.maintenance_work_mem ?? 65_536)),
  );
  const prlimit = await findProgram('prlimit');
  const size = formatBytes(memoryBytes);
  if (prlimit === undefined || memoryBytes < leastAddressSpace) {
    const why =
      prlimit === undefined ? 'prlimit was not found' : 'the amount is below what a process maps at least';
    plan.notes.push(`memory is limited by settings only (${size}): ${why}`);
    return;
  }
  plan.launcher.push(prlimit, `--as=${Math.floor(memoryBytes)}`);
  plan.notes.push(
    `memory is limited to ${size} by settings and for each process; the sum over all processes is not`,
  );
}

function limitConnections(maxConnections: number, plan: LimitPlan): void {
  if (!Number.isInteger(maxConnections) || maxConnections < 2) {
    throw new InputError(`${maxConnections} is not a number of connections that a server can have`, {
      hint: 'Give at least 2.',
    });
  }
  plan.settings.max_connections = String(maxConnections);
  plan.settings.superuser_reserved_connections = String(Math.min(3, maxConnections - 1));
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/bin'].filter(Boolean)) {
    const path = join(folder, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

/** The processors that we ourselves may use: a container has not got all. */
async function allowedCores(): Promise<number[]> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1];
  if (list === undefined) return cpus().map((_, index) => index);
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, index) => first! + index);
  });
}
