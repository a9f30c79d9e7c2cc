import type { Findings } from './findings.js';
import { Ancestors, findCycles, graphOf } from './graph.js';
import type { DraftCommand } from './parse.js';

/** A cycle longer than this is shown with its middle left out. */
const longestShown = 20;

/** Checks names and parents. `ancestors` is absent where the graph has cycles. */
export function checkGraph(
  commands: readonly DraftCommand[],
  found: Findings,
): { byName: Map<string, number>; ancestors?: Ancestors } {
  const byName = checkNames(commands, found);
  const parents = commands.map((_, node) => parentsOf(commands, node, byName, found));
  const graph = graphOf(parents);
  const cycles = findCycles(graph);
  for (const cycle of cycles) {
    const names = cycle.map((node) => commands[node]!.name!);
    const shown = [...names, names[0]!];
    if (shown.length > longestShown) {
      shown.splice(longestShown / 2, shown.length - longestShown, `… ${shown.length - longestShown} more …`);
    }
    // The arrow points from what must end first to what waits for it.
    found.add(
      [...commands[cycle[0]!]!.path, 'parent_command_names'],
      `is part of a cycle: ${shown.join(' → ')}`,
    );
  }
  return cycles.length > 0 ? { byName } : { byName, ancestors: new Ancestors(graph) };
}

function checkNames(commands: readonly DraftCommand[], found: Findings): Map<string, number> {
  const byName = new Map<string, number>();
  commands.forEach(({ name, path }, node) => {
    if (name === undefined) return;
    const first = byName.get(name);
    if (first === undefined) byName.set(name, node);
    else {
      found.add(
        [...path, 'command_name'],
        `"${name}" is already the name of command ${first + 1}; each needs its own`,
      );
    }
  });
  return byName;
}

function parentsOf(
  commands: readonly DraftCommand[],
  node: number,
  byName: ReadonlyMap<string, number>,
  found: Findings,
): number[] {
  const { name, path, cleanup, parents } = commands[node]!;
  const known = new Set<number>();
  parents.forEach((parent, index) => {
    const at = [...path, 'parent_command_names', index];
    const other = byName.get(parent);
    if (other === undefined) {
      found.add(at, `there is no command "${parent}"${found.guess(parent, byName.keys())}`);
    } else if (other === node || parent === name) {
      found.add(at, `"${parent}" depends on itself: ${parent} → ${parent}`);
    } else if (known.has(other)) {
      found.add(at, `"${parent}" is listed twice`);
    } else {
      known.add(other);
      if (commands[other]!.cleanup && !cleanup) {
        found.add(
          at,
          `"${parent}" is a clean-up command, which also runs when all else is given up; only another clean-up command can wait for it`,
        );
      }
    }
  });
  return [...known];
}
