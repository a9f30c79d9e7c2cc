/** Parameters as the server logs them: `$1 = 'it''s', $2 = NULL`. */
export type Parameters = (string | null)[];

/**
 * Reads a parameter list that begins at `from`. Values may hold anything, also `, $2 = ` and line ends: only quotes
 * are doubled. Undefined where the text is not such a list, or is cut off.
 */
export function readParameters(text: string, from = 0): { values: Parameters; end: number } | undefined {
  const values: Parameters = [];
  let i = from;
  for (;;) {
    const head = `$${values.length + 1} = `;
    if (!text.startsWith(head, i)) return undefined;
    i += head.length;
    if (text.startsWith('NULL', i)) {
      values.push(null);
      i += 4;
    } else if (text[i] === "'") {
      let end = i + 1;
      for (;;) {
        end = text.indexOf("'", end);
        if (end < 0) return undefined;
        if (text[end + 1] !== "'") break;
        end += 2;
      }
      values.push(text.slice(i + 1, end).replaceAll("''", "'"));
      i = end + 1;
    } else {
      return undefined;
    }
    if (!text.startsWith(', $', i)) return { values, end: i };
    i += 2;
  }
}

/** From the DETAIL of a bind or execute. Versions up to 15 begin it with a small letter. */
export function parametersOfDetail(detail: string): Parameters | undefined {
  if (!/^[Pp]arameters: /.test(detail)) return undefined;
  const list = readParameters(detail, 'parameters: '.length);
  return list?.end === detail.length ? list.values : undefined;
}

/**
 * From the CONTEXT of an error, among other lines: `unnamed portal with parameters: …` or, when the server refused one
 * parameter, `portal "x" parameter $1 = …`. Of a single parameter that says all as well; of several it does not.
 */
export function parametersOfContext(context: string, sql: string): Parameters | undefined {
  const all = /(?:^|\n)(?:unnamed portal|portal "[^\n]*") with parameters: /.exec(context);
  if (all) return readParameters(context, all.index + all[0].length)?.values;
  const refused = /(?:^|\n)(?:unnamed portal|portal "[^\n]*") parameter (?=\$1 = )/.exec(context);
  if (!refused || /\$([2-9]|[1-9][0-9])/.test(sql)) return undefined;
  return readParameters(context, refused.index + refused[0].length)?.values;
}
