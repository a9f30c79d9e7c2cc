import type { z } from 'zod';
import type { JsonValue } from './dag.js';
import type { Findings, Path } from './findings.js';
import { jsonSchemaOf, keysAt } from './schema-walk.js';
import { addZodIssues } from './zod-sentences.js';

/** Each field by itself, so that one that is wrong does not hide what the others say. */
export function readFields<S extends Record<string, z.ZodType>>(
  value: { [key: string]: JsonValue },
  path: Path,
  shape: S,
  found: Findings,
): { [K in keyof S]?: z.output<S[K]> } {
  const fields: { [K in keyof S]?: z.output<S[K]> } = {};
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(shape, key)) {
      found.add([...path, key], `unknown key${found.guess(key, Object.keys(shape))}`);
    }
  }
  for (const key of Object.keys(shape) as (keyof S & string)[]) {
    const field = Object.hasOwn(value, key) ? value[key] : undefined;
    const result = shape[key]!.safeParse(field);
    if (result.success) fields[key] = result.data as z.output<S[typeof key]>;
    else
      addZodIssues(found, [...path, key], result.error, field, {
        knownKeys: (at) => keysAt(jsonSchemaOf(shape[key]!, 'input'), at),
      });
  }
  return fields;
}
