import { parseCel } from './cel.js';
import { type Checking, checkConfigBindings, checkExpression, checkTemplate } from './check-bindings.js';
import { checkConfig } from './check-config.js';
import { checkGraph } from './check-graph.js';
import type { CommandTypes } from './command-type.js';
import type { Dag, DagCommand, JsonValue } from './dag.js';
import { readDocument } from './document.js';
import { type DagIssue, Findings } from './findings.js';
import { resolveParameters } from './parameters.js';
import { type DraftCommand, type DraftDag, readDag } from './parse.js';

export interface ValidateOptions {
  /**
   * The values to run with: each parameter without a default must then be given. Absent: the document is checked for
   * itself, whatever the values will be. Text is read as the declared type.
   */
  parameters?: Readonly<Record<string, unknown>>;
  /** The target of the submission, which goes before the document's. */
  target?: string;
  /** Refuse a DAG of which neither the document nor `target` says what to drive. */
  requireTarget?: boolean;
  /** Name of a DAG that has none: the bare list of commands. Default `dag`. */
  name?: string;
}

export interface Validation {
  /** The normal form; only where there is no issue. Its `target` is the submission's, where there is one. */
  dag?: Dag;
  /** Values by parameter: those given and the defaults. Only with `dag`. Durations are in seconds. */
  parameters?: Record<string, JsonValue>;
  /** Everything that is wrong, not only the first. */
  issues: DagIssue[];
}

/**
 * Checks a DAG document: text (JSON or YAML), or a value that is already parsed; the bare list of commands or the
 * envelope. Never throws, whatever it is given.
 */
export function validateDag(
  document: unknown,
  types: CommandTypes,
  options: ValidateOptions = {},
): Validation {
  const found = new Findings();
  const value = readDocument(document, found);
  const draft = value === undefined ? undefined : readDag(value, options.name ?? 'dag', found);
  if (!draft) return { issues: found.issues() };
  if (draft.commands.length === 0 && !found.any) found.add([], 'has no commands');
  const parameters = resolveParameters(
    draft.parameters,
    options.parameters ?? {},
    found,
    options.parameters === undefined,
  );
  const checking: Checking = {
    found,
    draft,
    types,
    parameters,
    usedParameters: new Set(),
    ...checkGraph(draft.commands, found),
  };
  checkTypes(checking);
  draft.commands.forEach((command, node) => {
    if (command.config) checkConfig(checking, node, checkConfigBindings(checking, node, command.config));
    checkWhen(checking, node, command);
    if (command.concurrencyKey !== undefined) {
      checkTemplate(checking, node, command.concurrencyKey, [...command.path, 'concurrency_key'], 'key');
    }
  });
  checkUnused(checking);
  const target = options.target ?? draft.target;
  if (options.requireTarget && target === undefined) {
    found.add(['target'], 'is missing: name the target to run against, here or with the submission');
  }
  if (found.any) return { issues: found.issues() };
  return { dag: { ...toDag(draft), ...(target !== undefined && { target }) }, parameters, issues: [] };
}

function checkTypes({ draft, types, found }: Checking): void {
  const names = types.all().map(({ type }) => type);
  for (const { type, path } of draft.commands) {
    if (type !== undefined && !types.get(type)) {
      found.add([...path, 'command_type'], `there is no command type "${type}"${found.guess(type, names)}`);
    }
  }
}

function checkWhen(checking: Checking, node: number, { when, path }: DraftCommand): void {
  if (when === 'all_succeeded' || when === 'all_done') return;
  const at = [...path, 'when'];
  const parsed = parseCel(when);
  if ('problem' in parsed) {
    const guess = /^\w*$/.test(when) ? checking.found.guess(when, ['all_succeeded', 'all_done']) : '';
    checking.found.add(at, `expected all_succeeded, all_done or an expression: ${parsed.problem}${guess}`);
    return;
  }
  if (parsed.type !== 'bool' && parsed.type !== 'dyn') {
    checking.found.add(at, `expected an expression that is true or false; this is of type ${parsed.type}`);
  }
  checkExpression(checking, node, parsed, at, 'when');
}

function checkUnused({ draft, usedParameters, found }: Checking): void {
  for (const { name } of draft.parameters) {
    if (!usedParameters.has(name)) {
      found.add(['parameters', name], `is never used: bind it with \${{ parameters.${name} }}, or remove it`);
    }
  }
}

/** Only of a draft without findings: then every field is there. */
function toDag(draft: DraftDag): Dag {
  const { commands, ...rest } = draft;
  return { ...rest, commands: commands.map(toCommand) };
}

function toCommand({ path: _path, name, type, config, ...rest }: DraftCommand): DagCommand {
  return { name: name!, type: type!, config: config!, ...rest };
}
