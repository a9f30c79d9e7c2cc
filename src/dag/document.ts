import type { JsonValue } from './dag.js';
import type { Findings } from './findings.js';
import { jsonLines, scanJson } from './json-text.js';
import { maxCharacters, toJsonValue } from './json-value.js';
import { readYaml } from './yaml-text.js';

/**
 * The JSON value of a document: text (JSON or YAML, decided by its content) or a value that is already parsed.
 * Undefined with the reasons in `found` when there is none.
 */
export function readDocument(document: unknown, found: Findings): JsonValue | undefined {
  try {
    if (typeof document !== 'string') return toJsonValue(document, found);
    const read = readText(document, found);
    return read && toJsonValue(read.value, found);
  } catch (error) {
    // A hostile value (a getter that throws, a revoked proxy) is as unreadable as bad text.
    found.add([], `cannot be read: ${error instanceof Error ? error.message : 'it is not a plain value'}`);
    return undefined;
  }
}

function readText(document: string, found: Findings): { value: unknown } | undefined {
  if (document.length > maxCharacters || Buffer.byteLength(document) > maxCharacters) {
    found.add([], 'the document is larger than 5 MB');
    return undefined;
  }
  const text = document.replace(/^\ufeff/, '');
  if (text.trim() === '') {
    found.add([], 'the document is empty');
    return undefined;
  }
  if (/^\s*[[{]/.test(text)) {
    const json = readJson(text, found);
    if (json) return found.any ? undefined : json;
  }
  return readYaml(text, found);
}

/** JSON without the YAML library, which takes a second for what this reads in milliseconds. */
function readJson(text: string, found: Findings): { value: unknown } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // YAML's reader takes it from here: it may be YAML that begins like JSON, and its errors have lines.
    return undefined;
  }
  found.lines = () => jsonLines(text);
  scanJson(
    text,
    () => {},
    (path, line) => found.add(path, 'is written twice', line),
  );
  return { value };
}
