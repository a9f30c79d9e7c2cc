import type { CommandStatus, PreparedDag } from './plan.js';

/**
 * The commands of an ended run that go back to PENDING when it is resumed: those that did not succeed; of those that
 * did, the ones whose worker or clone is gone while something below them must run again; and all clean-up commands.
 * Empty when there is nothing to do. `alive` is true also for a command that leaves nothing alive.
 */
export function resetForResume(
  prepared: PreparedDag,
  commands: ReadonlyMap<string, CommandStatus>,
  alive: (name: string) => boolean,
): string[] {
  const { dag, children, order } = prepared;
  const again = new Array<boolean>(dag.commands.length).fill(false);
  /** Something below, other than cleaning up, must run again. */
  const below = new Array<boolean>(dag.commands.length).fill(false);
  for (const node of order.toReversed()) {
    const { name, cleanup } = dag.commands[node]!;
    below[node] = children[node]!.some(
      (child) => !dag.commands[child]!.cleanup && (again[child]! || below[child]!),
    );
    const succeeded = commands.get(name)?.state === 'SUCCEEDED';
    again[node] = !succeeded || (!cleanup && below[node]! && !alive(name));
  }
  if (!again.includes(true)) return [];
  return dag.commands.filter(({ cleanup }, node) => cleanup || again[node]).map(({ name }) => name);
}
