import { z } from 'zod';
import { parseInput } from '../../../base/index.js';
import type { RunOptions } from '../benchmark.js';

const limits = z.object({
  seconds: z
    .number()
    .positive()
    .max(7 * 24 * 3600),
  rate: z.number().positive().max(1_000_000).optional(),
  arrivals: z.enum(['poisson', 'constant']).default('poisson'),
  connections: z.int().min(1).max(1000),
  seed: z.int().default(1),
  statementTimeoutMs: z.int().min(1).default(30_000),
});

/** The numbers of a run with their defaults, or an InputError with every one that is out of bounds. */
export function checkRunOptions(options: RunOptions, where: string): z.output<typeof limits> {
  return parseInput<z.output<typeof limits>>(limits, options, where);
}
