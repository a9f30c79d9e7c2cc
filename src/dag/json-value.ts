import type { JsonValue } from './dag.js';
import type { Findings } from './findings.js';

/** Deeper than any config needs, and shallow enough for every recursive reader after this one. */
export const maxDepth = 64;
const maxValues = 1_000_000;
export const maxCharacters = 5 * 1024 * 1024;

interface Place {
  parent?: Place;
  key: string | number;
  depth: number;
}

/**
 * A copy of `source` that is JSON and nothing else, or undefined with the reason in `found`. What JSON text could not
 * say, or PostgreSQL could not keep, is refused: cycles, dates, functions, infinities, NUL, half characters.
 */
export function toJsonValue(source: unknown, found: Findings): JsonValue | undefined {
  const root: { value?: JsonValue } = {};
  const work: { source: unknown; place: Place; put: (value: JsonValue) => void }[] = [
    {
      source,
      place: { key: '', depth: 0 },
      put: (value) => {
        root.value = value;
      },
    },
  ];
  const before = found.count;
  let values = 0;
  let characters = 0;
  for (let next = work.pop(); next; next = work.pop()) {
    const { source: from, place, put } = next;
    values += 1;
    if (typeof from === 'string') characters += from.length;
    if (values > maxValues || characters > maxCharacters) {
      found.add([], 'the document is too large: at most 5 MB and 1,000,000 values');
      return undefined;
    }
    const problem = scalarProblem(from);
    if (problem) {
      found.add(pathOf(place), problem);
    } else if (typeof from !== 'object' || from === null) {
      put(from as JsonValue);
    } else if (place.depth >= maxDepth) {
      found.add(pathOf(place), `is nested deeper than ${maxDepth} levels`);
      return undefined;
    } else if (Array.isArray(from)) {
      const list: JsonValue[] = [];
      put(list);
      if (from.length > maxValues) {
        found.add(pathOf(place), 'the list is too long');
        return undefined;
      }
      for (let index = from.length - 1; index >= 0; index -= 1) {
        const at = index;
        list.push(null);
        work.push({
          source: from[at],
          place: { parent: place, key: at, depth: place.depth + 1 },
          put: (value) => {
            list[at] = value;
          },
        });
      }
    } else {
      const object: { [key: string]: JsonValue } = {};
      put(object);
      const entries = Object.entries(from).filter(([, value]) => value !== undefined);
      // Keys keep their order only if they are put in it, and the work is taken from the end.
      for (const [key] of entries) if (key !== '__proto__') object[key] = null;
      for (const [key, value] of entries.reverse()) {
        const at: Place = { parent: place, key, depth: place.depth + 1 };
        characters += key.length;
        const keyProblem = key === '__proto__' ? 'is not allowed as a key' : textProblem(key);
        if (keyProblem) found.add(pathOf(at), keyProblem);
        else
          work.push({
            source: value,
            place: at,
            put: (copy) => {
              object[key] = copy;
            },
          });
      }
    }
  }
  return found.count > before ? undefined : root.value;
}

function scalarProblem(value: unknown): string | undefined {
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value === 'string') return textProblem(value);
  if (typeof value === 'number') {
    return Number.isFinite(value) ? undefined : `${value} is not a number that JSON can write`;
  }
  if (typeof value !== 'object') return `expected a JSON value, found ${article(typeof value)}`;
  if (Array.isArray(value)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return undefined;
  return 'expected a JSON value, found an object of another kind';
}

function textProblem(text: string): string | undefined {
  // Neither can be kept in PostgreSQL's jsonb.
  if (text.includes('\u0000')) return 'holds the character NUL, which cannot be stored';
  if (/\p{Surrogate}/u.test(text)) return 'holds half a character (a lone surrogate), which cannot be stored';
  return undefined;
}

function article(noun: string): string {
  return /^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}

function pathOf(place: Place): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at: Place | undefined = place; at?.parent; at = at.parent) path.push(at.key);
  return path.reverse();
}
