import { type Issue, joinPath } from '../base/index.js';
import { didYouMean } from './suggest.js';

/** An issue of a DAG document; `line` counts from 1 and is known when the document was text. */
export interface DagIssue extends Issue {
  line?: number;
}

export type Path = readonly (string | number)[];

/** Guesses are for a person who reads a handful; a thousand of them would only cost time. */
const mostGuesses = 50;

/** Everything that is wrong with one document, in the order of its lines, else as found. */
export class Findings {
  readonly #found: { path: Path; message: string; line?: number }[] = [];
  readonly #seen = new Set<string>();
  #guesses = 0;
  /** Lines by path, computed only once an issue needs them. */
  lines: () => ReadonlyMap<string, number> = () => new Map();

  get any(): boolean {
    return this.#found.length > 0;
  }

  get count(): number {
    return this.#found.length;
  }

  add(path: Path, message: string, line?: number): void {
    const key = `${joinPath('', path)}\n${message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#found.push({ path, message, ...(line !== undefined && { line }) });
  }

  /** `; did you mean "x"?` or nothing. */
  guess(word: string, candidates: Iterable<string>): string {
    this.#guesses += 1;
    return this.#guesses > mostGuesses ? '' : didYouMean(word, candidates);
  }

  issues(): DagIssue[] {
    if (this.#found.length === 0) return [];
    const lines = this.lines();
    const issues = this.#found.map(({ path, message, line }): DagIssue => {
      const at = line ?? nearestLine(lines, path);
      return { path: joinPath('', path), message, ...(at !== undefined && { line: at }) };
    });
    return issues.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  }
}

/** The line of the value, or of the nearest thing around it that is there. */
function nearestLine(lines: ReadonlyMap<string, number>, path: Path): number | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const line = lines.get(joinPath('', path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return undefined;
}
