import { InputError } from '../../../base/index.js';
import type { RunOptions } from '../benchmark.js';
import { checkMix } from '../engine/mix.js';
import type { Distribution } from './keys.js';

export const operations = ['read', 'update', 'insert', 'scan', 'read_modify_write'] as const;
export type Operation = (typeof operations)[number];

export interface Workload {
  mix: Record<Operation, number>;
  distribution: Distribution;
}

const none = { read: 0, update: 0, insert: 0, scan: 0, read_modify_write: 0 };

/** The core workloads of Cooper et al., "Benchmarking Cloud Serving Systems with YCSB" (SoCC 2010), table 2. */
export const coreWorkloads: Readonly<Record<string, Workload>> = {
  A: { mix: { ...none, read: 50, update: 50 }, distribution: 'zipfian' },
  B: { mix: { ...none, read: 95, update: 5 }, distribution: 'zipfian' },
  C: { mix: { ...none, read: 100 }, distribution: 'zipfian' },
  D: { mix: { ...none, read: 95, insert: 5 }, distribution: 'latest' },
  E: { mix: { ...none, scan: 95, insert: 5 }, distribution: 'zipfian' },
  F: { mix: { ...none, read: 50, read_modify_write: 50 }, distribution: 'zipfian' },
};

/** What `mix` and `distribution` of a run ask for; workload A when they say nothing. */
export function workloadOf({ mix = 'A', distribution }: Pick<RunOptions, 'mix' | 'distribution'>): Workload {
  const workload =
    typeof mix === 'string'
      ? coreWorkloads[mix.toUpperCase()]
      : { mix: checkMix(mix, operations, 'ycsb run: mix'), distribution: 'zipfian' as const };
  if (!workload) {
    throw new InputError(`ycsb run: there is no core workload "${mix}"`, {
      hint: 'Give a letter from A to F, or weights such as {"read": 90, "update": 10}.',
    });
  }
  return { ...workload, distribution: distribution ?? workload.distribution };
}
