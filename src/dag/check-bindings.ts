import type { CelExpression } from './cel.js';
import type { CommandType, CommandTypes } from './command-type.js';
import type { JsonValue } from './dag.js';
import { type ExpressionScope, resolveConfig } from './expressions.js';
import type { Findings, Path } from './findings.js';
import type { Ancestors } from './graph.js';
import type { DraftCommand, DraftDag } from './parse.js';
import { inspect, type Reference } from './references.js';
import { jsonSchemaOf, walkSchema } from './schema-walk.js';
import { holdsBinding, parseTemplate } from './template.js';

/** What the checks of one document share. */
export interface Checking {
  found: Findings;
  draft: DraftDag;
  types: CommandTypes;
  /** Index of the first command of each name. */
  byName: ReadonlyMap<string, number>;
  /** Absent where the graph has cycles. */
  ancestors?: Ancestors;
  /** The values known now. */
  parameters: Record<string, JsonValue>;
  usedParameters: Set<string>;
}

/** A config with the bindings that are known now replaced, and the paths of those that are not. */
export interface KnownConfig {
  value: { [key: string]: JsonValue };
  /** Inside the config. */
  bound: Path[];
}

/** Checks every binding of a config and replaces those that read only parameters with values. */
export function checkConfigBindings(checking: Checking, node: number, config: JsonValue): KnownConfig {
  const bound: Path[] = [];
  const at = [...checking.draft.commands[node]!.path, 'config'];
  const visit = (value: JsonValue, path: Path): JsonValue => {
    if (typeof value === 'string') {
      if (!holdsBinding(value)) return value;
      const resolved = checkTemplate(checking, node, value, [...at, ...path], 'config');
      if (resolved === undefined) bound.push(path);
      return resolved ?? value;
    }
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item, [...path, key])]));
  };
  return { value: visit(config, []) as KnownConfig['value'], bound };
}

/** Checks a text's bindings. Its value where that is known now, else undefined. */
export function checkTemplate(
  checking: Checking,
  node: number,
  text: string,
  path: Path,
  where: 'config' | 'key',
): JsonValue | undefined {
  const { parts, problems } = parseTemplate(text);
  for (const problem of problems) checking.found.add(path, problem);
  let known = problems.length === 0;
  for (const part of parts) {
    if (typeof part !== 'string') known = checkExpression(checking, node, part, path, where) && known;
  }
  if (!known) return undefined;
  const scope: ExpressionScope = { parameters: checking.parameters, commands: {}, run: { id: '', name: '' } };
  try {
    return resolveConfig(text, scope);
  } catch (error) {
    checking.found.add(path, (error as Error).message);
    return undefined;
  }
}

/** Checks what an expression reads; true where all of it is known now. */
export function checkExpression(
  checking: Checking,
  node: number,
  expression: CelExpression,
  path: Path,
  where: 'config' | 'when' | 'key',
): boolean {
  const { references, problems } = inspect(expression.ast);
  const say = (message: string) => checking.found.add(path, `${expression.source}: ${message}`);
  problems.forEach(say);
  let known = problems.length === 0;
  for (const reference of references) {
    if (reference.root === 'parameters') known = checkParameter(checking, reference, say) && known;
    else {
      known = false;
      if (reference.root === 'run') checkRun(reference, say);
      else if (where === 'key') say('a concurrency key can only read parameters and the run');
      else checkCommand(checking, node, reference, say);
    }
  }
  return known;
}

function checkParameter(
  checking: Checking,
  { path, open }: Reference,
  say: (message: string) => void,
): boolean {
  const name = path[0];
  const declared = checking.draft.parameters;
  if (name === undefined) {
    for (const parameter of declared) checking.usedParameters.add(parameter.name);
    return !open && declared.every((parameter) => Object.hasOwn(checking.parameters, parameter.name));
  }
  const names = declared.map((parameter) => parameter.name);
  if (!names.includes(String(name))) {
    say(`there is no parameter "${name}"${checking.found.guess(String(name), names)}`);
    return false;
  }
  checking.usedParameters.add(String(name));
  return Object.hasOwn(checking.parameters, String(name));
}

function checkRun({ path }: Reference, say: (message: string) => void): void {
  if (path.length !== 1 || !['id', 'name'].includes(String(path[0])))
    say('of `run` there is `run.id` and `run.name`');
}

function checkCommand(
  checking: Checking,
  node: number,
  { path, optional }: Reference,
  say: (message: string) => void,
): void {
  const [name, field, ...inner] = path;
  if (typeof name !== 'string') {
    say('`commands` must be followed by a name: commands.clone_1, or commands["clone-1"]');
    return;
  }
  const other = checking.byName.get(name);
  if (other === undefined) {
    say(`there is no command "${name}"${checking.found.guess(name, checking.byName.keys())}`);
    return;
  }
  const own = checking.draft.commands[node]!.name;
  if (other === node || (checking.ancestors && !checking.ancestors.has(node, other))) {
    say(`"${name}" is not an ancestor of "${own}": it may not have run yet; add it to parent_command_names`);
    return;
  }
  if (field === undefined) return;
  if (!['state', 'output', 'error'].includes(String(field))) {
    say(
      `of a command there is state, output and error, not "${field}"${checking.found.guess(String(field), ['state', 'output', 'error'])}`,
    );
  } else if (field === 'output' && !optional) {
    const type = typeOfDraft(checking, checking.draft.commands[other]!);
    if (type) checkOutput(checking, type, inner, say);
  }
}

function checkOutput(
  checking: Checking,
  type: CommandType,
  path: (string | number)[],
  say: (message: string) => void,
): void {
  const wrong = walkSchema(jsonSchemaOf(type.output, 'output'), path);
  if (!wrong) return;
  const part = String(path[wrong.missing]);
  const fields = wrong.known.length > 0 ? `; it has ${wrong.known.join(', ')}` : '';
  say(
    `the output of ${type.type} has no "${path.slice(0, wrong.missing + 1).join('.')}"${fields}${checking.found.guess(part, wrong.known)}`,
  );
}

export function typeOfDraft(checking: Checking, command: DraftCommand): CommandType | undefined {
  return command.type === undefined ? undefined : checking.types.get(command.type);
}
