/** Parsers of the text files of /proc. Times of /proc/stat are in clock ticks of 1/100 s, as on all of Linux today. */

const tickSeconds = 0.01;

export interface CpuTimes {
  userSeconds: number;
  niceSeconds: number;
  systemSeconds: number;
  idleSeconds: number;
  ioWaitSeconds: number;
  irqSeconds: number;
  softIrqSeconds: number;
  stealSeconds: number;
}

export interface ProcStat {
  cpus: number;
  total: CpuTimes;
  contextSwitches: number;
  processesCreated: number;
  runnable: number;
  blocked: number;
  bootedAt: string;
}

/** /proc/stat */
export function parseStat(text: string): ProcStat {
  const lines = new Map(
    text
      .split('\n')
      .filter(Boolean)
      .map((line): [string, number[]] => {
        const [name, ...values] = line.split(/\s+/);
        return [name!, values.map(Number)];
      }),
  );
  const seconds = (lines.get('cpu') ?? []).map((ticks) => ticks * tickSeconds);
  const single = (name: string) => lines.get(name)?.[0] ?? 0;
  return {
    cpus: [...lines.keys()].filter((name) => /^cpu\d+$/.test(name)).length,
    total: {
      userSeconds: seconds[0] ?? 0,
      niceSeconds: seconds[1] ?? 0,
      systemSeconds: seconds[2] ?? 0,
      idleSeconds: seconds[3] ?? 0,
      ioWaitSeconds: seconds[4] ?? 0,
      irqSeconds: seconds[5] ?? 0,
      softIrqSeconds: seconds[6] ?? 0,
      stealSeconds: seconds[7] ?? 0,
    },
    contextSwitches: single('ctxt'),
    processesCreated: single('processes'),
    runnable: single('procs_running'),
    blocked: single('procs_blocked'),
    bootedAt: new Date(single('btime') * 1000).toISOString(),
  };
}

/** /proc/loadavg */
export function parseLoadAverage(text: string): { load1: number; load5: number; load15: number } {
  const [load1 = 0, load5 = 0, load15 = 0] = text.trim().split(/\s+/).map(Number);
  return { load1, load5, load15 };
}

export interface Memory {
  totalBytes: number;
  freeBytes: number;
  availableBytes: number;
  buffersBytes: number;
  cachedBytes: number;
  dirtyBytes: number;
  swapTotalBytes: number;
  swapFreeBytes: number;
  hugePagesTotal: number;
  hugePagesFree: number;
  hugePageBytes: number;
}

/** /proc/meminfo: kB means 1024 bytes there. */
export function parseMemory(text: string): Memory {
  const values = new Map(
    [...text.matchAll(/^(\S+):\s+(\d+)( kB)?$/gm)].map(([, name, value, unit]): [string, number] => [
      name!,
      Number(value) * (unit ? 1024 : 1),
    ]),
  );
  const of = (name: string) => values.get(name) ?? 0;
  return {
    totalBytes: of('MemTotal'),
    freeBytes: of('MemFree'),
    // Kernels before 3.14 do not say.
    availableBytes: values.get('MemAvailable') ?? of('MemFree') + of('Buffers') + of('Cached'),
    buffersBytes: of('Buffers'),
    cachedBytes: of('Cached'),
    dirtyBytes: of('Dirty'),
    swapTotalBytes: of('SwapTotal'),
    swapFreeBytes: of('SwapFree'),
    hugePagesTotal: of('HugePages_Total'),
    hugePagesFree: of('HugePages_Free'),
    hugePageBytes: of('Hugepagesize'),
  };
}

export interface Disk {
  name: string;
  reads: number;
  readBytes: number;
  readSeconds: number;
  writes: number;
  writtenBytes: number;
  writeSeconds: number;
  inFlight: number;
  busySeconds: number;
  /** Time times requests in flight: its rate is the mean queue length. */
  queueSeconds: number;
}

/** /proc/diskstats: sectors are of 512 bytes there whatever the disk. Disks that never did anything are left out. */
export function parseDisks(text: string): Disk[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= 14)
    .map((fields) => {
      const n = (field: number) => Number(fields[field]);
      return {
        name: fields[2]!,
        reads: n(3),
        readBytes: n(5) * 512,
        readSeconds: n(6) / 1000,
        writes: n(7),
        writtenBytes: n(9) * 512,
        writeSeconds: n(10) / 1000,
        inFlight: n(11),
        busySeconds: n(12) / 1000,
        queueSeconds: n(13) / 1000,
      };
    })
    .filter(({ reads, writes }) => reads + writes > 0);
}

export interface NetworkInterface {
  name: string;
  receivedBytes: number;
  receivedPackets: number;
  receiveErrors: number;
  receiveDrops: number;
  sentBytes: number;
  sentPackets: number;
  sendErrors: number;
  sendDrops: number;
}

/** /proc/net/dev */
export function parseNetwork(text: string): NetworkInterface[] {
  return [...text.matchAll(/^\s*([^\s:|]+):\s*(\d[\d\s]*)$/gm)].map(([, name, numbers]) => {
    const n = numbers!.trim().split(/\s+/).map(Number);
    return {
      name: name!,
      receivedBytes: n[0] ?? 0,
      receivedPackets: n[1] ?? 0,
      receiveErrors: n[2] ?? 0,
      receiveDrops: n[3] ?? 0,
      sentBytes: n[8] ?? 0,
      sentPackets: n[9] ?? 0,
      sendErrors: n[10] ?? 0,
      sendDrops: n[11] ?? 0,
    };
  });
}

/** Shares (0 … 1) of the time in which some, or all, tasks waited for the resource. */
export interface Pressure {
  some: PressureLine;
  /** Absent for the cpu on older kernels. */
  full?: PressureLine;
}

interface PressureLine {
  share10s: number;
  share60s: number;
  share300s: number;
  totalSeconds: number;
}

/** /proc/pressure/{cpu,memory,io} and cgroup v2's *.pressure; undefined when there is no `some` line. */
export function parsePressure(text: string): Pressure | undefined {
  const line = (name: string): PressureLine | undefined => {
    const found = new RegExp(
      `^${name} avg10=([\\d.]+) avg60=([\\d.]+) avg300=([\\d.]+) total=(\\d+)`,
      'm',
    ).exec(text);
    if (!found) return undefined;
    return {
      share10s: Number(found[1]) / 100,
      share60s: Number(found[2]) / 100,
      share300s: Number(found[3]) / 100,
      totalSeconds: Number(found[4]) / 1e6,
    };
  };
  const some = line('some');
  const full = line('full');
  return some && { some, ...(full && { full }) };
}
