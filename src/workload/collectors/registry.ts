import { z } from 'zod';
import { InputError } from '../../base/index.js';
import { benchmarkCollector } from './benchmark-collector.js';
import { catalogCollector } from './catalog/catalog-collector.js';
import type { AnyCollector } from './collector.js';
import { importCollectors } from './load-collectors.js';
import { metricsCollector } from './metrics/metrics-collector.js';
import { osCollector } from './os/os-collector.js';
import { plansCollector } from './plans/plans-collector.js';
import { settingsCollector } from './settings-collector.js';
import { statisticsCollector } from './statistics/statistics-collector.js';

/** The built-in collectors. */
export const collectors: readonly AnyCollector[] = [
  benchmarkCollector,
  catalogCollector,
  metricsCollector,
  osCollector,
  plansCollector,
  settingsCollector,
  statisticsCollector,
];

/**
 * The collectors of modules that a user names (paths relative to the working directory, or packages); see
 * docs/collectors.md for what a module exports.
 * @throws InputError COLLECTOR_MODULE when one cannot be imported, has the wrong shape, or names a type that is taken.
 */
export async function loadCollectors(modules: readonly string[]): Promise<AnyCollector[]> {
  return await importCollectors(
    modules,
    collectors.map(({ type }) => type),
  );
}

/**
 * The collector of that type among the built-in ones and `loaded`.
 * @throws InputError UNKNOWN_COLLECTOR that lists the types.
 */
export function collectorNamed(type: string, loaded: readonly AnyCollector[] = []): AnyCollector {
  const known = [...collectors, ...loaded];
  const collector = known.find((candidate) => candidate.type === type);
  if (collector) return collector;
  throw new InputError(`there is no data collector "${type}"`, {
    code: 'UNKNOWN_COLLECTOR',
    hint: `Known: ${known
      .map((candidate) => candidate.type)
      .sort()
      .join(', ')}.`,
  });
}

/** What a person, a form or another program needs to know of a collector. */
export interface CollectorDescription {
  type: string;
  summary: string;
  /** Where it may be used. */
  roles: readonly string[];
  /** JSON Schema (draft 2020-12) of what is given as `data_collector_config`. */
  configSchema: Record<string, unknown>;
  resultSchema: Record<string, unknown>;
}

export function describeCollector(collector: AnyCollector): CollectorDescription {
  return {
    type: collector.type,
    summary: collector.summary,
    roles: collector.roles ?? ['clone', 'replica', 'primary'],
    configSchema: z.toJSONSchema(collector.config, { io: 'input' }),
    resultSchema: z.toJSONSchema(collector.result),
  };
}
