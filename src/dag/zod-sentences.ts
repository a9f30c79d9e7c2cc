import type { z } from 'zod';
import type { Findings, Path } from './findings.js';

type ZodIssue = z.core.$ZodIssue;

/** Schema issues as findings: each says what was found and what is expected. `skip` leaves out issues by path. */
export function addZodIssues(
  found: Findings,
  path: Path,
  error: z.ZodError,
  input: unknown,
  options: { skip?: (issue: ZodIssue) => boolean; knownKeys?: (at: Path) => string[] } = {},
): void {
  for (const issue of error.issues) {
    if (options.skip?.(issue)) continue;
    const inner = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        found.add(
          [...path, ...inner, key],
          `unknown key${found.guess(key, options.knownKeys?.(inner) ?? [])}`,
        );
      }
    } else {
      found.add([...path, ...inner], sentence(issue, valueAt(input, inner), found));
    }
  }
}

/** `the text "abc"`, `a list`, `nothing`. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value)}`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}

const kinds: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

const units: Record<string, string> = { string: ' characters', array: ' items', set: ' items' };

function sentence(issue: ZodIssue, value: unknown, found: Findings): string {
  const missing = value === undefined;
  switch (issue.code) {
    case 'invalid_type':
      return missing
        ? `is missing; expected ${kind(issue.expected)}`
        : `expected ${kind(issue.expected)}, found ${describe(value)}`;
    case 'invalid_value': {
      const allowed = issue.values.map((item) => JSON.stringify(item) ?? String(item));
      const list = allowed.length === 1 ? allowed[0] : `one of ${allowed.join(', ')}`;
      if (missing) return `is missing; expected ${list}`;
      const guess =
        typeof value === 'string'
          ? found.guess(
              value,
              issue.values.filter((item) => typeof item === 'string'),
            )
          : '';
      return `expected ${list}, found ${describe(value)}${guess}`;
    }
    case 'too_small':
    case 'too_big': {
      const [word, limit] =
        issue.code === 'too_small'
          ? [issue.inclusive === false ? 'more than' : 'at least', issue.minimum]
          : [issue.inclusive === false ? 'less than' : 'at most', issue.maximum];
      const unit = units[issue.origin] ?? '';
      return `expected ${word} ${limit}${unit}, found ${unit && value ? countOf(value) : describe(value)}`;
    }
    case 'invalid_union': {
      const forms = issue.errors.map((branch) => branch[0]).filter((first) => first !== undefined);
      const here = forms.filter((first) => first.path.length === 0);
      if (forms.length === 0 || here.length < forms.length) break;
      const wanted = here.map((first) =>
        first.code === 'invalid_type' ? kind(first.expected) : first.message,
      );
      return `${missing ? 'is missing; ' : ''}expected ${[...new Set(wanted)].join(' or ')}${missing ? '' : `, found ${describe(value)}`}`;
    }
    default:
  }
  return missing
    ? `is missing (${lower(issue.message)})`
    : `${lower(issue.message)}; found ${describe(value)}`;
}

function kind(expected: string): string {
  return kinds[expected] ?? expected;
}

function countOf(value: unknown): string {
  return `${(value as { length?: number; size?: number }).length ?? (value as { size?: number }).size}`;
}

function lower(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? (at as never)[key] : undefined,
    value,
  );
}
