import { type ErrorJson, type Issue, joinPath, OttoError } from '../base/index.js';
import { type CelExpression, evaluateCel, parseCel, toCel } from './cel.js';
import type { JsonValue } from './dag.js';
import { inspect } from './references.js';
import { holdsBinding, parseTemplate, unwrapBinding } from './template.js';

/** What expressions may read. Names that are not identifiers are reached as `commands["a-b"]`. */
export interface ExpressionScope {
  parameters: Readonly<Record<string, unknown>>;
  commands: Readonly<Record<string, CommandOutcome>>;
  run: { id: string; name: string };
}

/** A command as expressions see it. `output` is a JSON value. */
export interface CommandOutcome {
  state: string;
  output?: unknown;
  error?: ErrorJson | null;
}

/**
 * The config with every `${{ … }}` replaced by its value. A text that is exactly one binding becomes the value with
 * its type; a binding inside other text is written as text (objects and lists as JSON).
 * Throws OttoError UNRESOLVED_BINDING with every binding that has no value, each with its path.
 */
export function resolveConfig(config: JsonValue, scope: ExpressionScope): JsonValue {
  const issues: Issue[] = [];
  const resolved = resolve(config, [], scope, issues);
  const [first, ...more] = issues;
  if (!first) return resolved;
  throw new OttoError(
    'UNRESOLVED_BINDING',
    `${first.path ? `${first.path}: ` : ''}${first.message}${more.length > 0 ? ` (and ${more.length} more)` : ''}`,
    {
      where: first.path,
      issues,
      hint: 'A binding can only read what a command that has succeeded has put out.',
    },
  );
}

/** The same for one text, such as a concurrency key. */
export function resolveText(text: string, scope: ExpressionScope): string {
  return asText(resolveConfig(text, scope));
}

/**
 * Judges a condition. Throws OttoError CONDITION_FAILED when it reads what is not there or is neither true nor false.
 */
export function evaluateWhen(expression: string, scope: ExpressionScope): boolean {
  const source = unwrapBinding(expression);
  const parsed = parseCel(source);
  if ('problem' in parsed) throw new OttoError('CONDITION_FAILED', `${source}: ${parsed.problem}`);
  let value: JsonValue;
  try {
    value = evaluateCel(parsed, contextOf(parsed, scope));
  } catch (error) {
    throw new OttoError('CONDITION_FAILED', OttoError.from(error).message, { cause: error });
  }
  if (typeof value === 'boolean') return value;
  throw new OttoError('CONDITION_FAILED', `${source}: expected true or false, found ${asText(value)}`);
}

function resolve(
  value: JsonValue,
  path: (string | number)[],
  scope: ExpressionScope,
  issues: Issue[],
): JsonValue {
  if (typeof value === 'string')
    return holdsBinding(value) ? resolveTemplate(value, path, scope, issues) : value;
  if (Array.isArray(value)) return value.map((item, index) => resolve(item, [...path, index], scope, issues));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, resolve(item, [...path, key], scope, issues)]),
  );
}

function resolveTemplate(
  text: string,
  path: (string | number)[],
  scope: ExpressionScope,
  issues: Issue[],
): JsonValue {
  const failed = (message: string) => void issues.push({ path: joinPath('', path), message });
  const { parts, problems } = parseTemplate(text);
  for (const problem of problems) failed(problem);
  if (problems.length > 0) return text;
  const values = parts.map((part) => {
    if (typeof part === 'string') return part;
    try {
      return evaluateCel(part, contextOf(part, scope));
    } catch (error) {
      failed(OttoError.from(error).message);
      return null;
    }
  });
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : values.map(asText).join('');
}

/** Only what the expression reads is converted: outputs can be large, and a run can have thousands. */
function contextOf(expression: CelExpression, scope: ExpressionScope): Record<string, unknown> {
  const commands = new Map<string, unknown>();
  for (const { root, path } of inspect(expression.ast).references) {
    const name = path[0];
    if (root !== 'commands' || typeof name !== 'string' || !Object.hasOwn(scope.commands, name)) continue;
    const { state, output, error } = scope.commands[name]!;
    commands.set(
      name,
      new Map<string, unknown>([
        ['state', state],
        ['output', toCel(output ?? null)],
        ['error', toCel(error ?? null)],
      ]),
    );
  }
  return { parameters: toCel({ ...scope.parameters }), commands, run: toCel({ ...scope.run }) };
}

function asText(value: JsonValue): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}
