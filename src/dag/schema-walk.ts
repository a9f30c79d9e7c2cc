import { z } from 'zod';

type JsonSchema = z.core.JSONSchema.JSONSchema;
const cache = new WeakMap<z.ZodType, { input?: JsonSchema; output?: JsonSchema }>();

/** The schema as JSON Schema; `{}` (anything) where it cannot be said in it. */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const known = cache.get(schema) ?? {};
  cache.set(schema, known);
  known[io] ??= convert(schema, io);
  return known[io];
}

function convert(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  try {
    return z.toJSONSchema(schema, { io, unrepresentable: 'any', cycles: 'ref' });
  } catch {
    // A type of a user's module may be beyond what the converter knows: then every path is possible.
    return {};
  }
}

/**
 * Follows `path` into a schema. `missing` is the first part that no value of it can have, with what it could be
 * instead; undefined when the path is possible.
 */
export function walkSchema(
  root: JsonSchema,
  path: readonly (string | number)[],
): { missing: number; known: string[] } | undefined {
  let at = branches(root, root);
  for (const [index, part] of path.entries()) {
    const next = at.flatMap((schema) => step(schema, part));
    if (next.length === 0)
      return { missing: index, known: at.flatMap((schema) => Object.keys(schema.properties ?? {})) };
    at = next.flatMap((schema) => branches(root, schema));
  }
  return undefined;
}

/** Keys that an object at `path` may have. */
export function keysAt(root: JsonSchema, path: readonly (string | number)[]): string[] {
  const end = walkSchema(root, [...path, '\u0000none']);
  return end && end.missing === path.length ? end.known : [];
}

/** What a value at this key may be; empty when there can be none. */
function step(schema: JsonSchema, part: string | number): JsonSchema[] {
  const open = (extra: unknown): JsonSchema[] => {
    if (extra === false) return [];
    return [typeof extra === 'object' && extra !== null ? (extra as JsonSchema) : {}];
  };
  if (schema.type === 'array') {
    if (typeof part !== 'number') return [];
    const item = (schema.prefixItems as JsonSchema[] | undefined)?.[part];
    return item ? [item] : open(schema.items);
  }
  if (schema.type === 'object') {
    const { properties } = schema;
    if (properties && Object.hasOwn(properties, part)) return open(properties[part]);
    // zod writes false for the output of a plain object: unknown keys are stripped.
    return open(schema.additionalProperties);
  }
  return schema.type === undefined || Array.isArray(schema.type) ? [{}] : [];
}

/** References and alternatives opened up. */
function branches(root: JsonSchema, schema: JsonSchema, depth = 0): JsonSchema[] {
  if (depth > 20) return [{}];
  const ref = schema.$ref;
  if (typeof ref === 'string') {
    if (ref === '#') return branches(root, root, depth + 1);
    const name = ref.replace(/^#\/\$defs\//, '');
    const target = root.$defs?.[name];
    return typeof target === 'object' ? branches(root, target as JsonSchema, depth + 1) : [{}];
  }
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(alternatives)) {
    return alternatives.flatMap((one) => branches(root, one as JsonSchema, depth + 1));
  }
  return Array.isArray(schema.allOf) ? [{}] : [schema];
}
