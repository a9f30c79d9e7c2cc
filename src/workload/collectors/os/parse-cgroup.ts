/** Parsers of the files of control groups, version 1 and 2. */

/** Where this process is, out of /proc/self/cgroup. */
export interface CgroupPaths {
  /** Path in the unified hierarchy (v2). */
  unified?: string;
  /** Path by controller (v1). */
  controllers: Record<string, string>;
}

/** /proc/self/cgroup: `0::/path` for v2, `4:cpu,cpuacct:/path` for v1; both in hybrid set-ups. */
export function parseCgroupPaths(text: string): CgroupPaths {
  const paths: CgroupPaths = { controllers: {} };
  for (const [, hierarchy, names, path] of text.matchAll(/^(\d+):([^:]*):(.*)$/gm)) {
    if (hierarchy === '0' && names === '') paths.unified = path!;
    else for (const name of names!.split(',')) paths.controllers[name] = path!;
  }
  return paths;
}

/**
 * A limit in bytes; null for none. Version 2 writes `max`, version 1 the largest multiple of the page size below 2^63
 * (9223372036854771712 with pages of 4 kB), some kernels 2^64 − 1 or −1. Nothing real is above 2^60.
 */
export function parseByteLimit(text: string): number | null {
  const trimmed = text.trim();
  if (!/^\d+$/.test(trimmed)) return null;
  const value = Number(trimmed);
  return value >= 2 ** 60 ? null : value;
}

/** cpu.max of version 2, `quota period` in µs: how many processors' worth of time; null for no limit. */
export function parseCpuMax(text: string): number | null {
  const [quota, period = '100000'] = text.trim().split(/\s+/);
  return cpuLimit(Number(quota), Number(period));
}

/** cpu.cfs_quota_us and cpu.cfs_period_us of version 1; a quota of −1 is no limit. */
export function cpuLimit(quotaUs: number, periodUs: number): number | null {
  return quotaUs > 0 && periodUs > 0 ? quotaUs / periodUs : null;
}

/** Files of `name value` lines, such as cpu.stat and memory.stat. */
export function parseFlat(text: string): Record<string, number> {
  return Object.fromEntries(
    [...text.matchAll(/^(\S+) (\d+)$/gm)].map(([, name, value]) => [name!, Number(value)]),
  );
}

export interface CgroupIo {
  device: string;
  readBytes: number;
  writtenBytes: number;
  reads: number;
  writes: number;
}

/** io.stat of version 2. Devices without a number are left out. */
export function parseIoStat(text: string): CgroupIo[] {
  return [...text.matchAll(/^(\d+:\d+) (.*)$/gm)].map(([, device, rest]) => {
    const n = (name: string) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(rest!)?.[1] ?? 0);
    return {
      device: device!,
      readBytes: n('rbytes'),
      writtenBytes: n('wbytes'),
      reads: n('rios'),
      writes: n('wios'),
    };
  });
}
