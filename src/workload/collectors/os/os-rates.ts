import type { CpuTimes, Disk, HostSample, NetworkInterface } from './read-host.js';

/** What happened between two samples. Shares are of all processors together, 0 … 1. */
export interface HostRates {
  cpu: { user: number; system: number; ioWait: number; steal: number; idle: number } | null;
  contextSwitchesPerSecond: number | null;
  disks: {
    name: string;
    readsPerSecond: number;
    writesPerSecond: number;
    readBytesPerSecond: number;
    writtenBytesPerSecond: number;
    /** Share of the time with a request in flight. */
    busy: number;
    queueLength: number;
  }[];
  network: { name: string; receivedBytesPerSecond: number; sentBytesPerSecond: number }[];
  /** Processors' worth of time used by the control group. */
  cgroupCpus: number | null;
  cgroupThrottledShare: number | null;
}

export function hostRates(first: HostSample, second: HostSample): HostRates {
  const seconds = (second.atMs - first.atMs) / 1000;
  const rate = (before: number | null | undefined, after: number | null | undefined): number | null =>
    before == null || after == null || seconds <= 0 ? null : Math.max(0, after - before) / seconds;
  return {
    cpu: first.stat && second.stat ? cpuShares(first.stat.total, second.stat.total) : null,
    contextSwitchesPerSecond: rate(first.stat?.contextSwitches, second.stat?.contextSwitches),
    disks: pairs(first.disks, second.disks).map(([before, after]: [Disk, Disk]) => ({
      name: after.name,
      readsPerSecond: rate(before.reads, after.reads) ?? 0,
      writesPerSecond: rate(before.writes, after.writes) ?? 0,
      readBytesPerSecond: rate(before.readBytes, after.readBytes) ?? 0,
      writtenBytesPerSecond: rate(before.writtenBytes, after.writtenBytes) ?? 0,
      busy: Math.min(1, rate(before.busySeconds, after.busySeconds) ?? 0),
      queueLength: rate(before.queueSeconds, after.queueSeconds) ?? 0,
    })),
    network: pairs(first.network, second.network).map(
      ([before, after]: [NetworkInterface, NetworkInterface]) => ({
        name: after.name,
        receivedBytesPerSecond: rate(before.receivedBytes, after.receivedBytes) ?? 0,
        sentBytesPerSecond: rate(before.sentBytes, after.sentBytes) ?? 0,
      }),
    ),
    cgroupCpus: rate(first.cgroup?.cpuUsedSeconds, second.cgroup?.cpuUsedSeconds),
    cgroupThrottledShare: rate(first.cgroup?.throttledSeconds, second.cgroup?.throttledSeconds),
  };
}

function cpuShares(first: CpuTimes, second: CpuTimes): HostRates['cpu'] {
  const spent = (of: (times: CpuTimes) => number) => Math.max(0, of(second) - of(first));
  const parts = {
    user: spent((t) => t.userSeconds + t.niceSeconds),
    system: spent((t) => t.systemSeconds + t.irqSeconds + t.softIrqSeconds),
    ioWait: spent((t) => t.ioWaitSeconds),
    steal: spent((t) => t.stealSeconds),
    idle: spent((t) => t.idleSeconds),
  };
  const all = Object.values(parts).reduce((sum, part) => sum + part, 0);
  if (all === 0) return null;
  const share = (part: number) => part / all;
  return {
    user: share(parts.user),
    system: share(parts.system),
    ioWait: share(parts.ioWait),
    steal: share(parts.steal),
    idle: share(parts.idle),
  };
}

function pairs<T extends { name: string }>(
  first: readonly T[] | null,
  second: readonly T[] | null,
): [T, T][] {
  const before = new Map((first ?? []).map((entry) => [entry.name, entry]));
  return (second ?? []).flatMap((after): [T, T][] => {
    const earlier = before.get(after.name);
    return earlier ? [[earlier, after]] : [];
  });
}
