/** A message about a statement, taken apart. */
export type StatementMessage =
  /** A simple query; without a duration it is log_statement's, and the duration follows alone. */
  | { step: 'statement'; durationUs: number | undefined; sql: string }
  /** A step of the extended protocol. `rest` is `NAME[/PORTAL]: SQL`. */
  | { step: 'parse' | 'bind' | 'execute' | 'fetch'; durationUs: number | undefined; rest: string }
  /** The duration of what log_statement has logged before. */
  | { step: 'duration'; durationUs: number }
  /** A function called through the fast-path message (large objects of old drivers). */
  | { step: 'fastpath'; durationUs: number | undefined };

const steps = [
  ['statement: ', 'statement'],
  ['execute fetch from ', 'fetch'],
  ['execute ', 'execute'],
  ['bind ', 'bind'],
  ['parse ', 'parse'],
  ['fastpath function call: ', 'fastpath'],
] as const;

/** Undefined for every other message, such as auto_explain's `duration: 1.2 ms  plan:`. */
export function readStatementMessage(message: string): StatementMessage | undefined {
  if (!message.startsWith('duration: ')) return readStep(message, undefined);
  const end = message.indexOf(' ms', 10);
  if (end < 0) return undefined;
  const durationUs = Math.round(Number(message.slice(10, end)) * 1000);
  if (!Number.isFinite(durationUs)) return undefined;
  if (end + 3 === message.length) return { step: 'duration', durationUs };
  if (!message.startsWith('  ', end + 3)) return undefined;
  return readStep(message.slice(end + 5), durationUs);
}

function readStep(text: string, durationUs: number | undefined): StatementMessage | undefined {
  for (const [head, step] of steps) {
    if (!text.startsWith(head)) continue;
    const rest = text.slice(head.length);
    if (step === 'statement') return { step, durationUs, sql: rest };
    if (step === 'fastpath') return { step, durationUs };
    return { step, durationUs, rest };
  }
  return undefined;
}

/**
 * Splits `NAME[/PORTAL]: SQL`. A name may hold `: ` itself and nothing in the log tells: the first cut whose SQL
 * `isSql` accepts is taken, else the first.
 */
export function splitTarget(
  rest: string,
  isSql: (sql: string) => boolean,
): { target: string; sql: string } | undefined {
  const first = rest.indexOf(': ');
  if (first < 0) return undefined;
  let cut = first;
  for (let tries = 0; tries < 4 && cut >= 0; tries++) {
    const sql = rest.slice(cut + 2);
    // The usual case costs no second look.
    if (isSql(sql)) return { target: rest.slice(0, cut), sql };
    cut = rest.indexOf(': ', cut + 2);
  }
  return { target: rest.slice(0, first), sql: rest.slice(first + 2) };
}
