import { InputError } from '../../../base/index.js';
import type { Random } from './random.js';

/** Weights by transaction type, checked; at least one is positive. */
export function checkMix<T extends string>(
  given: Record<string, number>,
  types: readonly T[],
  where: string,
): Record<T, number> {
  const unknown = Object.keys(given).filter((key) => !(types as readonly string[]).includes(key));
  if (unknown.length > 0) {
    throw new InputError(`${where}: unknown transaction type ${unknown.join(', ')}`, {
      hint: `Known: ${types.join(', ')}.`,
    });
  }
  const weights = Object.fromEntries(types.map((type) => [type, given[type] ?? 0])) as Record<T, number>;
  const values = Object.values<number>(weights);
  if (
    values.some((weight) => !Number.isFinite(weight) || weight < 0) ||
    !values.some((weight) => weight > 0)
  ) {
    throw new InputError(`${where}: weights must be numbers from 0 up, not all 0`);
  }
  return weights;
}

/** Draws a type in proportion to its weight. */
export function pick<T extends string>(weights: Record<T, number>, random: Random): T {
  const entries = Object.entries<number>(weights) as [T, number][];
  let left = random.float() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [type, weight] of entries) {
    left -= weight;
    if (left < 0) return type;
  }
  return entries.findLast(([, weight]) => weight > 0)![0];
}
