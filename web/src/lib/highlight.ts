export interface Token {
  /** Offset in the text. */
  at: number;
  text: string;
  kind?: 'key' | 'string' | 'number' | 'binding' | 'comment';
}

const PATTERN = new RegExp(
  [
    String.raw`(?<binding>\$\{\{.*?\}\})`,
    String.raw`(?<comment>(?<=^|\s)#.*$)`,
    String.raw`(?<key>"(?:[^"\\\n]|\\.)*"(?=\s*:)|(?<=^[ \t]*(?:- +)?|[{,] *)[A-Za-z_][\w.-]*(?=\s*:(?:\s|$)))`,
    String.raw`(?<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*')`,
    String.raw`(?<number>(?<![\w.-])(?:-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?:ms|s|m|h|d)?|true|false|null)(?![\w.-]))`,
  ].join('|'),
  'gm',
);

/** Above this, colours would cost more than they help. */
const LARGEST = 200_000;

/** JSON or YAML in pieces to colour. It only has to look right: the server is the one that reads it. */
export function highlight(text: string): Token[] {
  if (text.length > LARGEST) return [{ at: 0, text }];
  const tokens: Token[] = [];
  let done = 0;
  for (const match of text.matchAll(PATTERN)) {
    const found = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined);
    if (!found) continue;
    const [kind, value] = found as [NonNullable<Token['kind']>, string];
    if (match.index > done) tokens.push({ at: done, text: text.slice(done, match.index) });
    tokens.push(...withBindings(value, match.index, kind));
    done = match.index + value.length;
  }
  if (done < text.length) tokens.push({ at: done, text: text.slice(done) });
  return tokens;
}

/** A string with the bindings inside it. */
function withBindings(text: string, at: number, kind: NonNullable<Token['kind']>): Token[] {
  if (kind !== 'string' || !text.includes('${{')) return [{ at, text, kind }];
  const tokens: Token[] = [];
  let offset = at;
  for (const piece of text.split(/(\$\{\{.*?\}\})/)) {
    if (piece) tokens.push({ at: offset, text: piece, kind: piece.startsWith('${{') ? 'binding' : 'string' });
    offset += piece.length;
  }
  return tokens;
}
