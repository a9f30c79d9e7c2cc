import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCollector } from '../run-collector.js';
import { osCollector } from './os-collector.js';
import { cpuLimit, parseByteLimit, parseCgroupPaths, parseCpuMax, parseIoStat } from './parse-cgroup.js';
import { parseDisks, parseMemory, parseNetwork, parsePressure, parseStat } from './parse-proc.js';

describe('/proc', () => {
  it('stat', () => {
    const text = `cpu  100 5 50 1000 20 1 2 3 0 0
cpu0 50 5 25 500 10 1 1 3 0 0
cpu1 50 0 25 500 10 0 1 0 0 0
intr 12345 0 9 0
ctxt 9999
btime 1700000000
processes 321
procs_running 2
procs_blocked 1
softirq 1 2 3
`;
    expect(parseStat(text)).toMatchObject({
      cpus: 2,
      contextSwitches: 9999,
      processesCreated: 321,
      runnable: 2,
      blocked: 1,
      bootedAt: '2023-11-14T22:13:20.000Z',
    });
    expect(parseStat(text).total.userSeconds).toBeCloseTo(1);
    expect(parseStat(text).total.stealSeconds).toBeCloseTo(0.03);
  });

  it('meminfo, with and without MemAvailable', () => {
    const text =
      'MemTotal:        1000 kB\nMemFree:          100 kB\nBuffers: 10 kB\nCached: 90 kB\nHugePages_Total:       4\n';
    expect(parseMemory(text)).toMatchObject({
      totalBytes: 1_024_000,
      availableBytes: 204_800,
      hugePagesTotal: 4,
    });
    expect(parseMemory(`${text}MemAvailable: 300 kB\n`).availableBytes).toBe(307_200);
  });

  it('diskstats of old and new kernels; idle disks are left out', () => {
    const text = `   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0
 253       0 vda 10 2 80 30 20 3 160 40 1 50 70 0 0 0 0 5 6
   8       1 sda1 1 0 2 3 4 5 6 7 0 9 11
`;
    expect(parseDisks(text)).toEqual([
      expect.objectContaining({
        name: 'vda',
        reads: 10,
        readBytes: 40_960,
        writes: 20,
        writtenBytes: 81_920,
        inFlight: 1,
      }),
      expect.objectContaining({ name: 'sda1', readBytes: 1024, writtenBytes: 3072, busySeconds: 0.009 }),
    ]);
  });

  it('net/dev, also where a number follows the colon at once', () => {
    const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 100 2 0 0 0 0 0 0 100 2 0 0 0 0 0 0
  eth0:5000 20 1 3 0 0 0 0 700 8 4 6 0 0 0 0
`;
    expect(parseNetwork(text)).toEqual([
      expect.objectContaining({ name: 'lo', receivedBytes: 100, sentBytes: 100 }),
      expect.objectContaining({
        name: 'eth0',
        receivedBytes: 5000,
        receiveErrors: 1,
        receiveDrops: 3,
        sentBytes: 700,
        sendErrors: 4,
        sendDrops: 6,
      }),
    ]);
  });

  it('pressure, with and without the full line', () => {
    const some = 'some avg10=1.50 avg60=0.25 avg300=0.00 total=2500000\n';
    expect(parsePressure(some)).toEqual({
      some: { share10s: 0.015, share60s: 0.0025, share300s: 0, totalSeconds: 2.5 },
    });
    expect(parsePressure(`${some}full avg10=0.00 avg60=0.00 avg300=0.00 total=1\n`)?.full?.totalSeconds).toBe(
      1e-6,
    );
    expect(parsePressure('')).toBeUndefined();
  });
});

describe('control groups', () => {
  it('limits that are none', () => {
    for (const text of [
      'max',
      '9223372036854771712',
      '9223372036854710272',
      '18446744073709551615',
      '-1',
      '',
    ]) {
      expect(parseByteLimit(`${text}\n`)).toBeNull();
    }
    expect(parseByteLimit('1073741824\n')).toBe(1_073_741_824);
    expect(parseCpuMax('max 100000\n')).toBeNull();
    expect(parseCpuMax('150000 100000\n')).toBe(1.5);
    expect(cpuLimit(-1, 100_000)).toBeNull();
    expect(cpuLimit(50_000, 100_000)).toBe(0.5);
  });

  it('paths of both versions', () => {
    expect(parseCgroupPaths('0::/user.slice/a.scope\n')).toEqual({
      unified: '/user.slice/a.scope',
      controllers: {},
    });
    expect(parseCgroupPaths('4:cpu,cpuacct:/docker/x\n3:name=systemd:/s\n0::/\n')).toEqual({
      unified: '/',
      controllers: { cpu: '/docker/x', cpuacct: '/docker/x', 'name=systemd': '/s' },
    });
  });

  it('io.stat, also for a device without numbers', () => {
    expect(parseIoStat('253:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n8:0 \n')).toEqual([
      { device: '253:0', readBytes: 10, writtenBytes: 20, reads: 1, writes: 2 },
      { device: '8:0', readBytes: 0, writtenBytes: 0, reads: 0, writes: 0 },
    ]);
  });
});

describe('OS', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'otto-os-'));
  });
  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  const files = async (entries: Record<string, string>) => {
    for (const [name, text] of Object.entries(entries)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), text);
    }
  };
  const collect = async (config: Record<string, unknown> = {}) =>
    await runCollector(osCollector, {
      url: 'postgresql://localhost:1/nowhere',
      role: 'clone',
      config: {
        intervalSeconds: 0.05,
        procRoot: join(root, 'proc'),
        cgroupRoot: join(root, 'cgroup'),
        ...config,
      },
      outDirectory: join(root, 'out'),
    });
  const host = {
    'proc/stat':
      'cpu 1 0 1 1 0 0 0 0\ncpu0 1 0 1 1\ncpu1 1 0 1 1\ncpu2 1 0 1 1\ncpu3 1 0 1 1\nctxt 1\nbtime 1\n',
    'proc/meminfo': 'MemTotal: 8388608 kB\n',
  };

  it('version 2: the tightest limit of the group and its ancestors counts', async () => {
    await files({
      ...host,
      'proc/self/cgroup': '0::/slice/job\n',
      'cgroup/cgroup.controllers': 'cpu memory\n',
      'cgroup/slice/cpu.max': '200000 100000\n',
      'cgroup/slice/memory.max': '1073741824\n',
      'cgroup/slice/job/cpu.max': 'max 100000\n',
      'cgroup/slice/job/memory.max': 'max\n',
      'cgroup/slice/job/memory.current': '4096\n',
      'cgroup/slice/job/memory.stat': 'anon 1024\nfile 2048\n',
      'cgroup/slice/job/cpu.stat': 'usage_usec 1500000\nnr_throttled 3\nthrottled_usec 500000\n',
      'cgroup/slice/job/pids.max': 'max\n',
    });
    const { result } = await collect();
    expect(result.host.cgroup).toMatchObject({
      version: 2,
      path: '/slice/job',
      cpuLimit: 2,
      cpuUsedSeconds: 1.5,
      throttledPeriods: 3,
      throttledSeconds: 0.5,
      memoryLimitBytes: 1_073_741_824,
      memoryUsedBytes: 4096,
      memoryFileBytes: 2048,
      processLimit: null,
    });
    expect(result.effective).toEqual({ cpus: 2, memoryBytes: 1_073_741_824 });
  });

  it('version 1: absurd limits are none, and a path of the host that is not mounted is the root', async () => {
    await files({
      ...host,
      'proc/self/cgroup': '4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n',
      'cgroup/cpu,cpuacct/cpu.cfs_quota_us': '50000\n',
      'cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      'cgroup/cpu,cpuacct/cpuacct.usage': '2000000000\n',
      'cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'cgroup/memory/memory.usage_in_bytes': '12345\n',
    });
    const { result } = await collect();
    expect(result.host.cgroup).toMatchObject({
      version: 1,
      cpuLimit: 0.5,
      cpuUsedSeconds: 2,
      memoryLimitBytes: null,
      memoryUsedBytes: 12_345,
    });
    expect(result.effective).toEqual({ cpus: 0.5, memoryBytes: 8_589_934_592 });
  });

  it('names what is missing and goes on', async () => {
    const { result, manifest } = await collect();
    expect(result.host).toMatchObject({ stat: null, memory: null, disks: null, cgroup: null });
    expect(result.effective).toEqual({ cpus: null, memoryBytes: null });
    expect(result.host.missing).toContainEqual({
      file: join(root, 'proc/stat'),
      why: 'there is no such file',
    });
    expect(manifest.warnings.join()).toMatch(/meminfo: there is no such file/);
  });

  it.runIf(process.platform === 'linux')('reads this host', async () => {
    const { result } = await collect({
      procRoot: '/proc',
      cgroupRoot: '/sys/fs/cgroup',
      intervalSeconds: 0.3,
    });
    expect(result.host.stat!.cpus).toBe(cpus().length);
    expect(result.host.memory!.totalBytes).toBeGreaterThan(100_000_000);
    expect(result.effective.cpus).toBeGreaterThan(0);
    const { user, system, idle, ioWait, steal } = result.rates.cpu!;
    expect(user + system + idle + ioWait + steal).toBeCloseTo(1);
    expect(result.serverIsHere).toBe('yes');
  });
});
