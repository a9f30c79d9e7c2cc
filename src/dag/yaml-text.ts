import { Composer, type Document, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, Parser } from 'yaml';
import { joinPath } from '../base/index.js';
import type { Findings } from './findings.js';
import { maxDepth } from './json-value.js';

/** Each level of a document takes up to three places on the parser's stack. */
const maxStack = 3 * maxDepth;
const maxTokens = 1_000_000;
const maxAliases = 1_000;
/** After these, the rest follows from them. */
const mostSyntaxErrors = 10;

/**
 * The value of YAML text, unchecked beyond being YAML, or undefined with the reasons in `found`. Tokens are counted
 * while they are read: nothing deep or wide enough to hurt reaches the recursive half of the library, which can bring
 * the whole process down where the stack ends.
 */
export function readYaml(text: string, found: Findings): { value: unknown } | undefined {
  const lineCounter = new LineCounter();
  const document = compose(text, lineCounter, found);
  if (!document) return undefined;
  const lineAt = (offset: number) => lineCounter.linePos(offset).line;
  if (document.errors.length > 0 || document.warnings.length > 0) {
    const errors = document.errors.length > 0 ? document.errors : document.warnings;
    for (const error of errors.slice(0, mostSyntaxErrors)) {
      found.add([], `cannot be read as JSON or YAML: ${firstLine(error.message)}`, lineAt(error.pos[0]));
    }
    return undefined;
  }
  const lines = walk(document, lineAt, found);
  found.lines = () => lines;
  if (found.any) return undefined;
  try {
    return { value: document.toJS({ maxAliasCount: maxAliases }) };
  } catch (error) {
    found.add([], `its aliases (*name) cannot be followed: ${firstLine(String((error as Error).message))}`);
    return undefined;
  }
}

function compose(text: string, lineCounter: LineCounter, found: Findings): Document | undefined {
  const parser = new Parser(lineCounter.addNewLine);
  lineCounter.addNewLine(0);
  const tokens = [];
  let count = 0;
  let aliases = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    count += 1;
    if (lexeme.startsWith('*')) aliases += 1;
    if (parser.stack.length > maxStack) {
      const line = lineCounter.linePos(parser.offset).line;
      found.add([], `is nested deeper than ${maxDepth} levels`, line);
      return undefined;
    }
    if (count > maxTokens || aliases > maxAliases) {
      found.add([], aliases > maxAliases ? `has more than ${maxAliases} aliases (*name)` : 'is too large');
      return undefined;
    }
  }
  tokens.push(...parser.end());
  // Duplicate keys are looked for in walk(): the library compares each key with each.
  const documents = [...new Composer({ uniqueKeys: false }).compose(tokens, true, text.length)];
  const [first, second] = documents;
  if (second) {
    found.add(
      [],
      'holds several YAML documents; expected one',
      lineCounter.linePos(second.range?.[0] ?? 0).line,
    );
    return undefined;
  }
  return first;
}

/** Lines by path; keys written twice are reported. */
function walk(document: Document, lineAt: (offset: number) => number, found: Findings): Map<string, number> {
  const lines = new Map<string, number>();
  const work: { node: unknown; path: (string | number)[] }[] = [{ node: document.contents, path: [] }];
  for (let next = work.pop(); next; next = work.pop()) {
    const { node, path } = next;
    if (!isMap(node) && !isSeq(node) && !isScalar(node) && !isAlias(node)) continue;
    const key = joinPath('', path);
    if (node.range && !lines.has(key)) lines.set(key, lineAt(node.range[0]));
    if (isSeq(node)) {
      node.items.forEach((item, index) => void work.push({ node: item, path: [...path, index] }));
    } else if (isMap(node)) {
      const keys = new Set<string>();
      for (const pair of node.items) {
        if (!isScalar(pair.key)) {
          found.add(path, 'has a key that is not text', node.range ? lineAt(node.range[0]) : undefined);
          continue;
        }
        const name = String(pair.key.value);
        const line = pair.key.range ? lineAt(pair.key.range[0]) : undefined;
        if (keys.has(name)) found.add([...path, name], 'is written twice', line);
        keys.add(name);
        if (line !== undefined) lines.set(joinPath('', [...path, name]), line);
        work.push({ node: pair.value, path: [...path, name] });
      }
    }
  }
  return lines;
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0]!;
}
