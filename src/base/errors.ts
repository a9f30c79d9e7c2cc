import type { z } from 'zod';

/** One thing that is wrong with an input: where it stands, what was found, what was expected. */
export interface Issue {
  /** Path inside the document, such as `commands[2].config.time_period`; empty for the document itself. */
  path: string;
  message: string;
}

export interface ErrorOptions {
  /** What the reader can do about it. */
  hint?: string;
  /** The file, host or object that it is about. */
  where?: string;
  cause?: unknown;
  issues?: Issue[];
  /** True when the same call may succeed later with nothing changed (a lost connection, a busy lock). */
  transient?: boolean;
}

/** What an error looks like once it has crossed a process boundary. */
export interface ErrorJson {
  code: string;
  message: string;
  hint?: string;
  where?: string;
  issues?: Issue[];
  transient?: boolean;
}

/**
 * The one family of errors. `code` is stable and in SCREAMING_SNAKE_CASE; `message` is a sentence for a person,
 * with the place and the finding; `hint` is the remedy.
 */
export class OttoError extends Error {
  readonly code: string;
  readonly hint?: string;
  readonly where?: string;
  readonly issues: Issue[];
  readonly transient: boolean;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'OttoError';
    this.code = code;
    this.hint = options.hint;
    this.where = options.where;
    this.issues = options.issues ?? [];
    this.transient = options.transient ?? false;
  }

  toJSON(): ErrorJson {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint !== undefined && { hint: this.hint }),
      ...(this.where !== undefined && { where: this.where }),
      ...(this.issues.length > 0 && { issues: this.issues }),
      ...(this.transient && { transient: true }),
    };
  }

  static fromJSON(json: ErrorJson): OttoError {
    return new OttoError(json.code, json.message, json);
  }

  /** Any thrown value as one of ours; a foreign error keeps its message and becomes the cause. */
  static from(error: unknown, code = 'INTERNAL'): OttoError {
    if (error instanceof OttoError) return error;
    if (error instanceof Error) {
      if (error.name === 'AbortError') return new OttoError('CANCELLED', error.message, { cause: error });
      return new OttoError(code, error.message, { cause: error });
    }
    return new OttoError(code, String(error), { cause: error });
  }
}

/** The input was wrong: exit status 2, HTTP 400. Carries every issue found, not only the first. */
export class InputError extends OttoError {
  constructor(message: string, options: ErrorOptions & { code?: string } = {}) {
    super(options.code ?? 'INVALID_INPUT', message, options);
    this.name = 'InputError';
  }
}

/** Validates `value`, or throws an InputError that names `where` and every issue with its path. */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = zodIssues(result.error);
  throw new InputError(`${where}: ${issues.map(formatIssue).join('; ')}`, { where, issues });
}

export function zodIssues(error: z.ZodError, prefix = ''): Issue[] {
  return error.issues.map((issue) => ({ path: joinPath(prefix, issue.path), message: issue.message }));
}

export function formatIssue(issue: Issue): string {
  return issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`;
}

/** `commands[2].config` from its parts. */
export function joinPath(prefix: string, parts: readonly PropertyKey[]): string {
  return parts.reduce<string>((path, part) => {
    if (typeof part === 'number') return `${path}[${part}]`;
    return path === '' ? String(part) : `${path}.${String(part)}`;
  }, prefix);
}
