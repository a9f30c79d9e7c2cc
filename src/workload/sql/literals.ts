/**
 * The statement with every literal of its text replaced by `?`: a key under which statements that differ only in
 * literals meet. It need not understand SQL: where it is unsure it returns the text itself, which only costs speed.
 */
export function literalFreeKey(sql: string): string {
  if (!/^\s*(select|insert|update|delete|merge|values|with)\b/i.test(sql)) return sql;
  let out = '';
  let from = 0;
  let i = 0;
  while (i < sql.length) {
    const code = sql.charCodeAt(i);
    if (isWordStart(code)) {
      i = endOfWord(sql, i + 1);
    } else if (code === 39 /* ' */) {
      // E'', U&'', B'' and x'' read backslashes or digits their own way.
      if (i > 0 && (isWordPart(sql.charCodeAt(i - 1)) || sql.charCodeAt(i - 1) === 38)) return sql;
      const end = endOfQuoted(sql, i + 1, "'");
      // A backslash may escape the quote (standard_conforming_strings = off).
      if (end < 0 || sql.slice(i, end).includes('\\')) return sql;
      out += `${sql.slice(from, i)}'?'`;
      from = i = end;
    } else if (code === 34 /* " */) {
      i = endOfQuoted(sql, i + 1, '"');
      if (i < 0) return sql;
    } else if (isDigit(code)) {
      const end = endOfNumber(sql, i);
      out += `${sql.slice(from, i)}?`;
      from = i = end;
    } else if (code === 36 /* $ */) {
      if (!isDigit(sql.charCodeAt(i + 1))) return sql;
      i = endOfWord(sql, i + 1);
    } else if (
      (code === 45 && sql.charCodeAt(i + 1) === 45) ||
      (code === 47 && sql.charCodeAt(i + 1) === 42)
    ) {
      return sql;
    } else {
      i++;
    }
  }
  return out + sql.slice(from);
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isWordStart(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code > 127;
}

function isWordPart(code: number): boolean {
  return isWordStart(code) || isDigit(code) || code === 36;
}

function endOfWord(sql: string, from: number): number {
  let i = from;
  while (i < sql.length && isWordPart(sql.charCodeAt(i))) i++;
  return i;
}

/** Also takes in what cannot be a number, such as `1e`: the parser has the last word on the first of each key. */
function endOfNumber(sql: string, from: number): number {
  const match = /[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
  match.lastIndex = from;
  match.exec(sql);
  return match.lastIndex;
}

/** Past the closing quote; -1 when there is none. A doubled quote is part of the text. */
function endOfQuoted(sql: string, from: number, quote: string): number {
  let i = from;
  for (;;) {
    i = sql.indexOf(quote, i);
    if (i < 0) return -1;
    if (sql[i + 1] !== quote) return i + 1;
    i += 2;
  }
}
