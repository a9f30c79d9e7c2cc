import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js';
import { OttoError } from '../base/index.js';
import type { JsonValue } from './dag.js';

const longestExpression = 4096;

/**
 * The language of bindings and conditions: CEL over `parameters`, `commands` and `run`. Limits keep the time to judge
 * an expression near-linear in what it reads.
 */
const environment = new Environment({
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 500, maxDepth: 64, maxListElements: 200, maxMapEntries: 200 },
})
  .registerVariable('parameters', 'map')
  .registerVariable('commands', 'map')
  .registerVariable('run', 'map')
  // JSON has one kind of number: whether 100 came as an integer must not decide whether `* 1.5` works.
  .registerOperator('int + double', (a: bigint, b: number) => Number(a) + b)
  .registerOperator('double + int', (a: number, b: bigint) => a + Number(b))
  .registerOperator('int - double', (a: bigint, b: number) => Number(a) - b)
  .registerOperator('double - int', (a: number, b: bigint) => a - Number(b))
  .registerOperator('int * double', (a: bigint, b: number) => Number(a) * b)
  .registerOperator('double * int', (a: number, b: bigint) => a * Number(b))
  .registerOperator('int / double', (a: bigint, b: number) => Number(a) / b)
  .registerOperator('double / int', (a: number, b: bigint) => a / Number(b));

/** A parsed and type-checked expression. */
export interface CelExpression {
  source: string;
  ast: ASTNode;
  /** Name of the result's type; `dyn` when it depends on the values. */
  type: string;
  evaluate: ParseResult;
}

/** Parses and type-checks, or says in one sentence what is wrong. */
export function parseCel(source: string): CelExpression | { problem: string } {
  if (source.trim() === '') return { problem: 'the expression is empty' };
  if (source.length > longestExpression) {
    return { problem: `the expression is longer than ${longestExpression} characters` };
  }
  try {
    const evaluate = environment.parse(source);
    const check = evaluate.check();
    if (!check.valid) return { problem: sentence(check.error) };
    return { source, ast: evaluate.ast, type: check.type ?? 'dyn', evaluate };
  } catch (error) {
    return { problem: sentence(error) };
  }
}

/** The value of an expression, in JSON; throws an OttoError with the reason. */
export function evaluateCel(expression: CelExpression, context: Record<string, unknown>): JsonValue {
  let value: unknown;
  try {
    value = expression.evaluate(context);
  } catch (error) {
    throw new OttoError('EXPRESSION_FAILED', `${expression.source}: ${sentence(error)}`, { cause: error });
  }
  return fromCel(value, expression.source);
}

/** JSON as CEL sees it: whole numbers are its integers, objects are maps (no prototypes, any key). */
export function toCel(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value === 'object' && value !== null) {
    return new Map(Object.entries(value).map(([key, item]) => [key, toCel(item)]));
  }
  return value;
}

function fromCel(value: unknown, source: string): JsonValue {
  const failed = (what: string) => new OttoError('EXPRESSION_FAILED', `${source}: ${what}`);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    throw failed(`its result ${value} is not a number that JSON can write`);
  }
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw failed(`its result ${value} is too large for JSON`);
  }
  if (Array.isArray(value)) return value.map((item) => fromCel(item, source));
  if (value instanceof Map) return objectFrom([...value.entries()], source);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object') {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === null || prototype === Object.prototype)
      return objectFrom(Object.entries(value), source);
  }
  throw failed('its result is neither text, number, boolean, list nor object');
}

function objectFrom(entries: [unknown, unknown][], source: string): JsonValue {
  return Object.fromEntries(entries.map(([key, item]) => [String(key), fromCel(item, source)]));
}

function sentence(error: unknown): string {
  const summary = (error as { summary?: unknown }).summary;
  const text = typeof summary === 'string' ? summary : error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0]!;
}
