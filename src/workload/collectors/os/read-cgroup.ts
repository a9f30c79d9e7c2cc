import { join, posix } from 'node:path';
import {
  type CgroupIo,
  type CgroupPaths,
  cpuLimit,
  parseByteLimit,
  parseCpuMax,
  parseFlat,
  parseIoStat,
} from './parse-cgroup.js';

/** Limits are null where there are none, usage where it cannot be known. */
export interface Cgroup {
  version: 1 | 2;
  path: string;
  /** The tightest of this group's and its ancestors': processors' worth of time. */
  cpuLimit: number | null;
  cpuUsedSeconds: number | null;
  /** How often, and for how long in all, the group was held back by its limit. */
  throttledPeriods: number | null;
  throttledSeconds: number | null;
  memoryLimitBytes: number | null;
  memoryUsedBytes: number | null;
  /** Page cache in it, which can be had back. */
  memoryFileBytes: number | null;
  swapLimitBytes: number | null;
  processLimit: number | null;
  processes: number | null;
  io: CgroupIo[];
}

/** Reads a file; undefined when there is none. */
export type Read = (path: string) => Promise<string | undefined>;

/** The control group of this process, or undefined when the files of neither version are there. */
export async function readCgroup(root: string, paths: CgroupPaths, read: Read): Promise<Cgroup | undefined> {
  if ((await read(join(root, 'cgroup.controllers'))) !== undefined) {
    return await readUnified(root, paths.unified ?? '/', read);
  }
  return await readLegacy(root, paths, read);
}

async function readUnified(root: string, path: string, read: Read): Promise<Cgroup> {
  const at = await firstWith(root, path, ['cgroup.procs', 'memory.current', 'cpu.stat'], read);
  const file = (name: string) => read(join(root, at, name));
  const cpu = parseFlat((await file('cpu.stat')) ?? '');
  const memory = parseFlat((await file('memory.stat')) ?? '');
  return {
    version: 2,
    path: at,
    cpuLimit: await tightest(root, at, (folder) => readWith(read, join(folder, 'cpu.max'), parseCpuMax)),
    cpuUsedSeconds: seconds(cpu.usage_usec, 1e6),
    throttledPeriods: cpu.nr_throttled ?? null,
    throttledSeconds: seconds(cpu.throttled_usec, 1e6),
    memoryLimitBytes: await tightest(root, at, (folder) =>
      readWith(read, join(folder, 'memory.max'), parseByteLimit),
    ),
    memoryUsedBytes: amount(await file('memory.current')),
    memoryFileBytes: memory.file ?? null,
    swapLimitBytes: await tightest(root, at, (folder) =>
      readWith(read, join(folder, 'memory.swap.max'), parseByteLimit),
    ),
    processLimit: await tightest(root, at, (folder) =>
      readWith(read, join(folder, 'pids.max'), parseByteLimit),
    ),
    processes: amount(await file('pids.current')),
    io: parseIoStat((await file('io.stat')) ?? ''),
  };
}

async function readLegacy(root: string, paths: CgroupPaths, read: Read): Promise<Cgroup | undefined> {
  const folder = async (names: readonly string[], controller: string, probe: string) => {
    for (const name of names) {
      const at = await firstWith(join(root, name), paths.controllers[controller] ?? '/', [probe], read);
      if ((await read(join(root, name, at, probe))) !== undefined) return { base: join(root, name), at };
    }
    return undefined;
  };
  const cpu = await folder(['cpu', 'cpu,cpuacct', 'cpuacct,cpu'], 'cpu', 'cpu.cfs_quota_us');
  const used = await folder(['cpuacct', 'cpu,cpuacct', 'cpuacct,cpu'], 'cpuacct', 'cpuacct.usage');
  const memory = await folder(['memory'], 'memory', 'memory.limit_in_bytes');
  const pids = await folder(['pids'], 'pids', 'pids.current');
  if (!cpu && !used && !memory) return undefined;

  const of = async (place: { base: string; at: string } | undefined, name: string) =>
    place && (await read(join(place.base, place.at, name)));
  const stat = parseFlat((await of(cpu, 'cpu.stat')) ?? '');
  const memoryStat = parseFlat((await of(memory, 'memory.stat')) ?? '');
  const quotaOf = async (at: string) => {
    const quota = await read(join(at, 'cpu.cfs_quota_us'));
    const period = await read(join(at, 'cpu.cfs_period_us'));
    return quota === undefined ? null : cpuLimit(Number(quota), Number(period ?? 100_000));
  };
  return {
    version: 1,
    path: memory?.at ?? cpu?.at ?? '/',
    cpuLimit: cpu ? await tightest(cpu.base, cpu.at, quotaOf) : null,
    cpuUsedSeconds: seconds(amount(await of(used, 'cpuacct.usage')) ?? undefined, 1e9),
    throttledPeriods: stat.nr_throttled ?? null,
    throttledSeconds: seconds(stat.throttled_time, 1e9),
    memoryLimitBytes: memory
      ? await tightest(memory.base, memory.at, (at) =>
          readWith(read, join(at, 'memory.limit_in_bytes'), parseByteLimit),
        )
      : null,
    memoryUsedBytes: amount(await of(memory, 'memory.usage_in_bytes')),
    memoryFileBytes: memoryStat.total_cache ?? memoryStat.cache ?? null,
    // Version 1 limits memory and swap together.
    swapLimitBytes: parseByteLimit((await of(memory, 'memory.memsw.limit_in_bytes')) ?? ''),
    processLimit: parseByteLimit((await of(pids, 'pids.max')) ?? ''),
    processes: amount(await of(pids, 'pids.current')),
    io: [],
  };
}

/**
 * The path at which the group's files are. In a container the path may be that of the host, which is not there; then
 * the mounted root is the container's own group.
 */
async function firstWith(root: string, path: string, probes: readonly string[], read: Read): Promise<string> {
  for (const probe of probes) if ((await read(join(root, path, probe))) !== undefined) return path;
  return '/';
}

/** The least of a limit over a group and its ancestors up to the mounted root; null when none has one. */
async function tightest(
  root: string,
  path: string,
  limitAt: (folder: string) => Promise<number | null>,
): Promise<number | null> {
  let least: number | null = null;
  for (let at = path; ; at = posix.dirname(at)) {
    const limit = await limitAt(join(root, at));
    if (limit !== null) least = least === null ? limit : Math.min(least, limit);
    if (at === '/' || at === '.') return least;
  }
}

async function readWith(
  read: Read,
  path: string,
  parse: (text: string) => number | null,
): Promise<number | null> {
  const text = await read(path);
  return text === undefined ? null : parse(text);
}

function amount(text: string | undefined): number | null {
  return text !== undefined && /^\d+\s*$/.test(text) ? Number(text) : null;
}

function seconds(value: number | undefined, perSecond: number): number | null {
  return value === undefined ? null : value / perSecond;
}
