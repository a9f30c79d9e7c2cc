import { hostname, release } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { parseUrl } from '../../../postgres/index.js';
import { defineCollector } from '../collector.js';
import { hostRates } from './os-rates.js';
import { type HostSample, readHost } from './read-host.js';
import { hostSample, rates } from './schema.js';

const result = z.object({
  /** The host that was looked at: the one that this ran on. */
  hostname: z.string(),
  kernel: z.string(),
  /** Whether the server is on it, as far as its address tells. */
  serverIsHere: z.enum(['yes', 'unknown']),
  intervalSeconds: z.number(),
  /** What the server can really use: the host's, or its control group's where that is less. */
  effective: z.object({ cpus: z.number().nullable(), memoryBytes: z.number().nullable() }),
  /** The second sample. */
  host: hostSample,
  rates,
});

export const osCollector = defineCollector({
  type: 'OS',
  summary:
    'Processors, load, memory, disks, network and pressure of this host, and the limits of its control group.',
  config: z.object({
    intervalSeconds: z
      .number()
      .min(0)
      .max(24 * 3600)
      .default(5)
      .describe('Between the two samples'),
    procRoot: z.string().default('/proc'),
    cgroupRoot: z.string().default('/sys/fs/cgroup'),
  }),
  result,
  holdsUserData: false,
  defaultTimeoutMs: (config) => (config.intervalSeconds + 60) * 1000,
  setup: async ({ config }) => ({ proc: config.procRoot, cgroup: config.cgroupRoot }),
  async collect({ url, config, signal, log }, roots) {
    const first = await readHost(roots);
    await delay(config.intervalSeconds * 1000, undefined, { signal });
    const second = await readHost(roots);
    for (const { file, why } of second.missing) log('warn', `${file}: ${why}`);
    const { atMs: _, ...host } = second;
    return {
      hostname: hostname(),
      kernel: release(),
      serverIsHere: isHere(url) ? ('yes' as const) : ('unknown' as const),
      intervalSeconds: (second.atMs - first.atMs) / 1000,
      effective: effective(second),
      host,
      rates: hostRates(first, second),
    };
  },
  // Reads files only: there is nothing to undo.
  cleanup: async () => {},
  rows: () => 1,
});

function effective({ stat, memory, cgroup }: HostSample): z.infer<typeof result>['effective'] {
  return {
    cpus: least(stat?.cpus, cgroup?.cpuLimit),
    memoryBytes: least(memory?.totalBytes, cgroup?.memoryLimitBytes),
  };
}

function least(...values: (number | null | undefined)[]): number | null {
  const known = values.filter((value) => typeof value === 'number');
  return known.length === 0 ? null : Math.min(...known);
}

function isHere(url: string): boolean {
  const { host } = parseUrl(url);
  return host.startsWith('/') || ['localhost', '127.0.0.1', '::1', hostname()].includes(host);
}
