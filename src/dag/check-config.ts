import type { z } from 'zod';
import { type Checking, type KnownConfig, typeOfDraft } from './check-bindings.js';
import type { CommandReference, CommandType } from './command-type.js';
import type { Path } from './findings.js';
import { jsonSchemaOf, keysAt } from './schema-walk.js';
import { addZodIssues } from './zod-sentences.js';

/** Checks a config by its type's schema, and the commands that it names. */
export function checkConfig(checking: Checking, node: number, known: KnownConfig): void {
  const command = checking.draft.commands[node]!;
  const type = typeOfDraft(checking, command);
  if (!type) return;
  const path = [...command.path, 'config'];
  let config: unknown = known.value;
  try {
    const result = type.config.safeParse(known.value);
    if (result.success) config = result.data;
    else {
      addZodIssues(checking.found, path, result.error, known.value, {
        skip: (issue) => concernsBinding(issue, known.bound),
        knownKeys: (at) => keysAt(jsonSchemaOf(type.config, 'input'), at),
      });
    }
  } catch (error) {
    checking.found.add(path, `${type.type} cannot check it: ${messageOf(error)}`);
    return;
  }
  for (const reference of referencesIn(type, config)) checkReference(checking, node, reference, path);
}

/** A value that is bound later is checked later: neither it nor what is around it can be judged now. */
function concernsBinding(issue: z.core.$ZodIssue, bound: readonly Path[]): boolean {
  return bound.some((path) => {
    const shared = Math.min(path.length, issue.path.length);
    const related = path.slice(0, shared).every((part, index) => String(part) === String(issue.path[index]));
    return related && (issue.code !== 'unrecognized_keys' || issue.path.length >= path.length);
  });
}

function referencesIn(type: CommandType, config: unknown): CommandReference[] {
  try {
    return type.references?.(config) ?? [];
  } catch {
    // The config is not what the type expects; that has been reported, or is bound later.
    return [];
  }
}

function checkReference(checking: Checking, node: number, reference: CommandReference, config: Path): void {
  const { found, byName, draft, ancestors } = checking;
  const { command: name, types } = reference;
  if (typeof name !== 'string' || name.includes('${{')) return;
  const path = [...config, ...partsOf(reference.path)];
  const other = byName.get(name);
  if (other === undefined) {
    found.add(path, `there is no command "${name}"${found.guess(name, byName.keys())}`);
    return;
  }
  const type = draft.commands[other]!.type;
  if (type !== undefined && !types.includes(type)) {
    found.add(path, `"${name}" is a ${type}; expected a command of type ${types.join(' or ')}`);
    return;
  }
  if (other === node || (ancestors && !ancestors.has(node, other))) {
    found.add(
      path,
      `"${name}" is not an ancestor of "${draft.commands[node]!.name}": add it to parent_command_names`,
    );
  }
}

/** `a.b[2]` as parts. */
function partsOf(path: string): (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([text, index]) =>
    index === undefined ? text : Number(index),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
