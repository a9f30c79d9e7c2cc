import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCgroupPaths } from './parse-cgroup.js';
import {
  type CpuTimes,
  type Disk,
  type Memory,
  type NetworkInterface,
  type Pressure,
  type ProcStat,
  parseDisks,
  parseLoadAverage,
  parseMemory,
  parseNetwork,
  parsePressure,
  parseStat,
} from './parse-proc.js';
import { type Cgroup, readCgroup } from './read-cgroup.js';

/** What the operating system says at one moment; null for what it does not say. */
export interface HostSample {
  atMs: number;
  stat: ProcStat | null;
  load: { load1: number; load5: number; load15: number } | null;
  memory: Memory | null;
  disks: Disk[] | null;
  network: NetworkInterface[] | null;
  pressure: { cpu: Pressure | null; memory: Pressure | null; io: Pressure | null };
  cgroup: Cgroup | null;
  /** Files that are not there or cannot be read, with the reason. */
  missing: { file: string; why: string }[];
}

export interface HostRoots {
  /** Normally `/proc`. */
  proc: string;
  /** Normally `/sys/fs/cgroup`. */
  cgroup: string;
}

export async function readHost({ proc, cgroup }: HostRoots): Promise<HostSample> {
  const missing: HostSample['missing'] = [];
  const parsed = async <T>(name: string, parse: (text: string) => T | undefined): Promise<T | null> => {
    const path = join(proc, name);
    try {
      const value = parse(await readFile(path, 'utf8'));
      if (value !== undefined) return value;
      missing.push({ file: path, why: 'its format is not known' });
    } catch (error) {
      missing.push({ file: path, why: reasonOf(error) });
    }
    return null;
  };
  const atMs = performance.now();
  const sample = {
    atMs,
    stat: await parsed('stat', parseStat),
    load: await parsed('loadavg', parseLoadAverage),
    memory: await parsed('meminfo', parseMemory),
    disks: await parsed('diskstats', parseDisks),
    network: await parsed('net/dev', parseNetwork),
    pressure: {
      cpu: await parsed('pressure/cpu', parsePressure),
      memory: await parsed('pressure/memory', parsePressure),
      io: await parsed('pressure/io', parsePressure),
    },
  };
  const paths = await parsed('self/cgroup', parseCgroupPaths);
  const group = paths && ((await readCgroup(cgroup, paths, readIfThere)) ?? null);
  if (paths && !group)
    missing.push({ file: cgroup, why: 'it has the files of no known version of control groups' });
  return { ...sample, cgroup: group, missing };
}

/** cgroup files come and go with controllers, so one that is not there is nothing to tell. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  return code === 'EACCES' ? 'it may not be read' : message;
}

export type { Cgroup, CpuTimes, Disk, NetworkInterface };
