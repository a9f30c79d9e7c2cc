import { joinPath } from '../base/index.js';
import { maxDepth } from './json-value.js';

interface Level {
  keys?: Set<string>;
  key: string | number;
}

/**
 * Reads JSON text that `JSON.parse` has accepted once more, for what that does not tell: on which line each value
 * stands, and which keys are written twice. Stops where the text is nested deeper than a document may be.
 */
export function scanJson(
  text: string,
  visit: (path: () => (string | number)[], line: number) => void,
  duplicate: (path: (string | number)[], line: number) => void,
): void {
  const levels: Level[] = [];
  const path = () => levels.map((level) => level.key);
  let line = 1;
  let expectKey = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (character === '\n') line += 1;
    else if (character === '{' || character === '[') {
      if (levels.length === 0) visit(path, line);
      else if (typeof levels.at(-1)!.key === 'number') visit(path, line);
      levels.push(character === '{' ? { keys: new Set(), key: '' } : { key: 0 });
      expectKey = character === '{';
      if (levels.length > maxDepth + 1) return;
    } else if (character === '}' || character === ']') {
      levels.pop();
      expectKey = false;
    } else if (character === ',') {
      const level = levels.at(-1)!;
      if (typeof level.key === 'number') level.key += 1;
      else expectKey = true;
    } else if (character === '"') {
      const end = endOfString(text, at);
      const level = levels.at(-1);
      if (level && expectKey) {
        const key = JSON.parse(text.slice(at, end + 1)) as string;
        level.key = key;
        visit(path, line);
        if (level.keys!.has(key)) duplicate(path(), line);
        level.keys!.add(key);
        expectKey = false;
      } else if (typeof level?.key === 'number') visit(path, line);
      at = end;
    } else if (typeof levels.at(-1)?.key === 'number' && /[-0-9tfn]/.test(character)) {
      visit(path, line);
      while (at + 1 < text.length && /[-+.\w]/.test(text[at + 1]!)) at += 1;
    }
  }
}

/** Lines by path. */
export function jsonLines(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  scanJson(
    text,
    (path, line) => lines.set(joinPath('', path()), line),
    () => {},
  );
  return lines;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
