import { z } from 'zod';
import { parseDuration } from '../base/index.js';
import type { DagParameter, JsonValue, ParameterType } from './dag.js';
import { readFields } from './fields.js';
import type { Findings } from './findings.js';
import { describe } from './zod-sentences.js';

const types = ['string', 'integer', 'number', 'boolean', 'duration', 'object', 'array'] as const;

const shape = {
  type: z.enum(types).optional(),
  default: z.custom<JsonValue>().optional(),
  description: z.string().max(2_000).optional(),
};

const expectations: Record<ParameterType, string> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  duration: 'a duration, such as 90 (seconds), "5m" or "1h30m"',
  object: 'an object',
  array: 'a list',
};

/** The declarations: `{type, default, description}`, or just a default whose type is the parameter's. */
export function readParameters(declared: { [key: string]: JsonValue }, found: Findings): DagParameter[] {
  return Object.entries(declared).flatMap(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_-]{0,119}$/.test(name)) {
      found.add(
        ['parameters', name],
        'expected a name of letters, digits, "_" and "-" that begins with a letter or "_"',
      );
      return [];
    }
    return readParameter(name, value, found) ?? [];
  });
}

function readParameter(name: string, value: JsonValue, found: Findings): DagParameter | undefined {
  const path = ['parameters', name];
  if (value === null) {
    found.add(path, 'expected a default value, or an object with "type"; found nothing');
    return undefined;
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    if ((types as readonly unknown[]).includes(value)) {
      found.add(
        path,
        `is "${value}" its type or its default? Write {type: ${value}}, or {type: string, default: ${value}}`,
      );
      return undefined;
    }
    return { name, type: typeOf(value), default: value };
  }
  const fields = readFields(value, path, shape, found);
  const given = fields.default as JsonValue | undefined;
  if (fields.type === undefined && given === undefined) {
    if (!Object.hasOwn(value, 'type')) found.add(path, 'needs a "type" or a "default"');
    return undefined;
  }
  const type = fields.type ?? typeOf(given!);
  const parameter: DagParameter = {
    name,
    type,
    ...(fields.description !== undefined && { description: fields.description }),
  };
  if (given === undefined) return parameter;
  const read = parameterValue(type, given);
  if (read === undefined) {
    found.add([...path, 'default'], `expected ${expectations[type]}, found ${describe(given)}`);
    return parameter;
  }
  return { ...parameter, default: given };
}

/**
 * The values that a run uses: those given, else the defaults. Text is read as the declared type (a command line has
 * nothing but text); a duration becomes its number of seconds. With `partial`, values may still be missing.
 */
export function resolveParameters(
  declared: readonly DagParameter[],
  given: Readonly<Record<string, unknown>>,
  found: Findings,
  partial: boolean,
): Record<string, JsonValue> {
  const values: Record<string, JsonValue> = {};
  const names = declared.map(({ name }) => name);
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) {
      found.add(['parameters', name], `there is no such parameter${found.guess(name, names)}`);
    }
  }
  for (const parameter of declared) {
    const value = Object.hasOwn(given, parameter.name)
      ? (given[parameter.name] as JsonValue)
      : parameter.default;
    if (value === undefined) {
      if (!partial) {
        found.add(['parameters', parameter.name], `must be given: ${expectations[parameter.type]}`);
      }
      continue;
    }
    const read = parameterValue(parameter.type, value);
    if (read === undefined) {
      found.add(
        ['parameters', parameter.name],
        `expected ${expectations[parameter.type]}, found ${describe(value)}`,
      );
    } else values[parameter.name] = read;
  }
  return values;
}

function typeOf(value: JsonValue): ParameterType {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  if (typeof value === 'boolean') return 'boolean';
  return typeof value === 'string' ? 'string' : 'object';
}

/** The value as its type, or undefined where it is not of it. */
function parameterValue(type: ParameterType, value: JsonValue): JsonValue | undefined {
  if (type === 'duration') return seconds(value);
  if (type === 'string') return typeof value === 'string' ? value : undefined;
  let read = value;
  if (typeof value === 'string') {
    try {
      read = JSON.parse(value) as JsonValue;
    } catch {
      return undefined;
    }
  }
  const ok = {
    integer: Number.isSafeInteger(read),
    number: typeof read === 'number' && Number.isFinite(read),
    boolean: typeof read === 'boolean',
    object: typeof read === 'object' && read !== null && !Array.isArray(read),
    array: Array.isArray(read),
  }[type];
  return ok ? read : undefined;
}

function seconds(value: JsonValue): number | undefined {
  if (typeof value !== 'number' && (typeof value !== 'string' || value.length > 64)) return undefined;
  try {
    const ms = parseDuration(value);
    return Number.isFinite(ms) ? ms / 1000 : undefined;
  } catch {
    return undefined;
  }
}
