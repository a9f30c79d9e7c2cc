import { z } from 'zod';
import type { HostRates } from './os-rates.js';
import type { HostSample } from './read-host.js';

const number = z.number();
const maybe = z.number().nullable();

const numbers = <const Names extends readonly string[]>(names: Names) =>
  z.object(Object.fromEntries(names.map((name) => [name, number])) as Record<Names[number], typeof number>);

const pressureLine = numbers(['share10s', 'share60s', 'share300s', 'totalSeconds']);
const pressure = z.object({ some: pressureLine, full: pressureLine.optional() }).nullable();

export const hostSample: z.ZodType<Omit<HostSample, 'atMs'>> = z.object({
  stat: z
    .object({
      cpus: number,
      total: numbers([
        'userSeconds',
        'niceSeconds',
        'systemSeconds',
        'idleSeconds',
        'ioWaitSeconds',
        'irqSeconds',
        'softIrqSeconds',
        'stealSeconds',
      ]),
      contextSwitches: number,
      processesCreated: number,
      runnable: number,
      blocked: number,
      bootedAt: z.string(),
    })
    .nullable(),
  load: numbers(['load1', 'load5', 'load15']).nullable(),
  memory: numbers([
    'totalBytes',
    'freeBytes',
    'availableBytes',
    'buffersBytes',
    'cachedBytes',
    'dirtyBytes',
    'swapTotalBytes',
    'swapFreeBytes',
    'hugePagesTotal',
    'hugePagesFree',
    'hugePageBytes',
  ]).nullable(),
  disks: z
    .array(
      numbers([
        'reads',
        'readBytes',
        'readSeconds',
        'writes',
        'writtenBytes',
        'writeSeconds',
        'inFlight',
        'busySeconds',
        'queueSeconds',
      ]).extend({ name: z.string() }),
    )
    .nullable(),
  network: z
    .array(
      numbers([
        'receivedBytes',
        'receivedPackets',
        'receiveErrors',
        'receiveDrops',
        'sentBytes',
        'sentPackets',
        'sendErrors',
        'sendDrops',
      ]).extend({ name: z.string() }),
    )
    .nullable(),
  pressure: z.object({ cpu: pressure, memory: pressure, io: pressure }),
  cgroup: z
    .object({
      version: z.union([z.literal(1), z.literal(2)]),
      path: z.string(),
      cpuLimit: maybe,
      cpuUsedSeconds: maybe,
      throttledPeriods: maybe,
      throttledSeconds: maybe,
      memoryLimitBytes: maybe,
      memoryUsedBytes: maybe,
      memoryFileBytes: maybe,
      swapLimitBytes: maybe,
      processLimit: maybe,
      processes: maybe,
      io: z.array(numbers(['readBytes', 'writtenBytes', 'reads', 'writes']).extend({ device: z.string() })),
    })
    .nullable(),
  missing: z.array(z.object({ file: z.string(), why: z.string() })),
});

export const rates: z.ZodType<HostRates> = z.object({
  cpu: numbers(['user', 'system', 'ioWait', 'steal', 'idle']).nullable(),
  contextSwitchesPerSecond: maybe,
  disks: z.array(
    numbers([
      'readsPerSecond',
      'writesPerSecond',
      'readBytesPerSecond',
      'writtenBytesPerSecond',
      'busy',
      'queueLength',
    ]).extend({ name: z.string() }),
  ),
  network: z.array(numbers(['receivedBytesPerSecond', 'sentBytesPerSecond']).extend({ name: z.string() })),
  cgroupCpus: maybe,
  cgroupThrottledShare: maybe,
});
