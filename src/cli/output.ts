import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import { type ErrorJson, formatIssue } from '../base/index.js';

type Colors = ReturnType<typeof pc.createColors>;

export type Cell = string | number | boolean | null | undefined;

let documentWritten = false;

/** Whether stdout holds its one JSON document: then a failure is told on stderr and by the exit status alone. */
export function isDocumentWritten(): boolean {
  return documentWritten;
}

/** Where a command writes: results to stdout, everything else to stderr; with --json, stdout holds JSON alone. */
export class Output {
  readonly json: boolean;
  readonly colors: Colors;

  constructor(options: { json: boolean }) {
    this.json = options.json;
    const plain = options.json || process.env.NO_COLOR !== undefined || !process.stdout.isTTY;
    this.colors = pc.createColors(!plain);
  }

  /** The result: as one JSON document, or as `human` writes it. */
  result(value: unknown, human: () => void): void {
    if (!this.json) {
      human();
      return;
    }
    documentWritten = true;
    process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** One element of a stream of results; after the last, stdout holds all there is to say. */
  item(value: unknown, human: () => void, options: { last?: boolean } = {}): void {
    if (this.json && options.last) documentWritten = true;
    if (this.json) process.stdout.write(`${JSON.stringify(value)}\n`);
    else human();
  }

  /** A line of the human result. */
  line(text = ''): void {
    (this.json ? process.stderr : process.stdout).write(`${text}\n`);
  }

  /** A line beside the result. */
  note(text: string): void {
    process.stderr.write(`${printable(text)}\n`);
  }

  table(head: string[], rows: Cell[][]): void {
    if (rows.length === 0) {
      this.line(this.colors.dim('none'));
      return;
    }
    const cells = rows.map((row) => row.map(textOf));
    const widths = head.map((title, column) =>
      Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)),
    );
    const format = (row: string[]) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd();
    this.line(this.colors.bold(format(head.map((title) => title.toUpperCase()))));
    for (const row of cells) this.line(format(row));
  }

  /** `name  value` lines; absent values are left out. */
  facts(facts: [name: string, value: Cell][]): void {
    const given = facts.filter(([, value]) => value !== undefined && value !== null && value !== '');
    const width = Math.max(...given.map(([name]) => name.length));
    for (const [name, value] of given) this.line(`${this.colors.dim(name.padEnd(width))}  ${textOf(value)}`);
  }

  state(state: string): string {
    const { green, red, yellow, cyan, dim } = this.colors;
    const paint: Record<string, (text: string) => string> = {
      SUCCEEDED: green,
      HEALTHY: green,
      READY: cyan,
      RUNNING: cyan,
      FAILED: red,
      TIMED_OUT: red,
      UNHEALTHY: red,
      LOST: red,
      CANCELLED: yellow,
      SKIPPED: dim,
      PENDING: dim,
    };
    return (paint[state] ?? String)(state);
  }
}

/** An error for a person: finding, issues, remedy. */
export function describeError(error: ErrorJson): string {
  const issues = (error.issues ?? []).map((issue) => `  ${formatIssue(issue)}`);
  // An InputError's message may repeat its issues in one line.
  const message = issues.length > 1 ? error.message.split('; ')[0]! : error.message;
  const lines = [`otto: ${message}`, ...(issues.length > 1 ? issues : [])];
  if (error.hint) lines.push(error.hint);
  return lines.map(printable).join('\n');
}

/** Text of others, without what would move the cursor or change the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach the terminal
  return stripVTControlCharacters(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}

function textOf(value: Cell): string {
  if (value === undefined || value === null) return '';
  return printable(String(value)).replaceAll('\n', ' ');
}
