import type { ASTNode } from '@marcbachmann/cel-js';
import { parseCel } from './cel.js';

/** What an expression reads: `commands.a.output.port` is `{ root: 'commands', path: ['a', 'output', 'port'] }`. */
export interface Reference {
  root: 'parameters' | 'commands' | 'run';
  /** Up to the first index that is itself computed. */
  path: (string | number)[];
  /** True when `path` ends before the expression does: what follows is known only when it is judged. */
  open: boolean;
  /** Inside `has(…)`: need not be there. */
  optional: boolean;
}

const roots: readonly string[] = ['parameters', 'commands', 'run'];
const comprehensions: readonly string[] = ['all', 'exists', 'exists_one', 'map', 'filter'];

/** What `expression` reads, and what it does that is not allowed here. Undefined where it does not parse. */
export function referencesOf(expression: string): Reference[] | undefined {
  const parsed = parseCel(expression);
  return 'problem' in parsed ? undefined : inspect(parsed.ast).references;
}

/** Recursion is bounded: an expression has at most 500 nodes. */
export function inspect(ast: ASTNode): { references: Reference[]; problems: string[] } {
  const references: Reference[] = [];
  const problems: string[] = [];

  const walk = (node: ASTNode, bound: readonly string[], optional: boolean): void => {
    if (readsPath(node, bound, optional)) return;
    if (node.op === 'rcall') {
      const [name, receiver, args] = node.args;
      if (name === 'matches')
        problems.push('`matches` is not available: use contains, startsWith or endsWith');
      if (name === 'bind') problems.push('`cel.bind` is not available');
      const variable = args[0];
      if (comprehensions.includes(name) && variable?.op === 'id') {
        // Nested loops over outputs could run for hours; one loop is linear.
        if (bound.length > 0) problems.push(`\`${name}\` inside another loop is not allowed`);
        walk(receiver, bound, optional);
        for (const arg of args.slice(1)) walk(arg, [...bound, variable.args], optional);
        return;
      }
    }
    if (node.op === 'call' && node.args[0] === 'matches') problems.push('`matches` is not available');
    const inHas = node.op === 'call' && node.args[0] === 'has';
    for (const child of childrenOf(node)) walk(child, bound, optional || inHas);
  };

  /** A root with what is selected from it: `commands.a["b"].c[i]`. */
  const readsPath = (node: ASTNode, bound: readonly string[], optional: boolean): boolean => {
    const selectors: (string | number | ASTNode)[] = [];
    let at = node;
    while (at.op === '.' || at.op === '[]') {
      const [object, selector] = at.args;
      selectors.unshift(typeof selector === 'string' ? selector : literalKey(selector));
      at = object;
    }
    if (at.op !== 'id' || !roots.includes(at.args) || bound.includes(at.args)) return false;
    const path: (string | number)[] = [];
    let open = false;
    for (const selector of selectors) {
      if (typeof selector === 'object') {
        open = true;
        walk(selector, bound, optional);
      } else if (!open) path.push(selector);
    }
    references.push({ root: at.args as Reference['root'], path, open, optional });
    return true;
  };

  walk(ast, [], false);
  return { references, problems };
}

function literalKey(node: ASTNode): string | number | ASTNode {
  if (node.op !== 'value') return node;
  if (typeof node.args === 'string') return node.args;
  return typeof node.args === 'bigint' || typeof node.args === 'number' ? Number(node.args) : node;
}

function childrenOf(node: ASTNode): ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'list':
      return node.args;
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return [...node.args];
  }
}
