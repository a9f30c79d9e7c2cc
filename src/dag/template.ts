import { type CelExpression, parseCel } from './cel.js';

const opening = '${{';

/** Text with its `${{ … }}` bindings parsed: literal text and expressions in turn. */
export type Template = (string | CelExpression)[];

export function holdsBinding(text: string): boolean {
  return text.includes(opening);
}

/** Parses the bindings of a text; what is wrong goes to `problems`. */
export function parseTemplate(text: string): { parts: Template; problems: string[] } {
  const parts: Template = [];
  const problems: string[] = [];
  let at = 0;
  for (let open = text.indexOf(opening); open >= 0; open = text.indexOf(opening, at)) {
    if (open > at) parts.push(text.slice(at, open));
    const close = endOfBinding(text, open + 3);
    if (close < 0) {
      problems.push(`a binding is opened with ${opening} and not closed with }}`);
      return { parts, problems };
    }
    const source = text.slice(open + 3, close).trim();
    const parsed = parseCel(source);
    if ('problem' in parsed) problems.push(`\${{ ${source} }}: ${parsed.problem}`);
    else parts.push(parsed);
    at = close + 2;
  }
  if (at < text.length) parts.push(text.slice(at));
  return { parts, problems };
}

/** The inside of a text that is one binding and nothing else; otherwise the text itself. */
export function unwrapBinding(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith(opening)) return trimmed;
  const close = endOfBinding(trimmed, 3);
  return close === trimmed.length - 2 ? trimmed.slice(3, close).trim() : trimmed;
}

/** Where the `}}` stands that closes a binding: not one in a quoted text or that closes CEL's own braces. */
function endOfBinding(text: string, start: number): number {
  let braces = 0;
  let quote = '';
  for (let at = start; at < text.length; at += 1) {
    const character = text[at]!;
    if (quote) {
      if (character === '\\') at += 1;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '{') braces += 1;
    else if (character === '}') {
      if (braces > 0) braces -= 1;
      else if (text[at + 1] === '}') return at;
    }
  }
  return -1;
}
