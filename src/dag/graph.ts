/** Nodes are numbers 0…n-1; `parents[i]` lists those that must end before i. Nothing here recurses. */
export interface Graph {
  parents: readonly (readonly number[])[];
  children: readonly (readonly number[])[];
}

export function graphOf(parents: readonly (readonly number[])[]): Graph {
  const children: number[][] = parents.map(() => []);
  parents.forEach((list, node) => {
    for (const parent of list) children[parent]!.push(node);
  });
  return { parents, children };
}

/** Parents before children, otherwise in the given order. Shorter than the graph when it has cycles. */
export function topologicalOrder({ parents, children }: Graph): number[] {
  const waiting = parents.map((list) => list.length);
  const order = [...parents.keys()].filter((node) => waiting[node] === 0);
  for (let at = 0; at < order.length; at += 1) {
    for (const child of children[order[at]!]!) {
      waiting[child]! -= 1;
      if (waiting[child] === 0) order.push(child);
    }
  }
  return order;
}

/** One cycle, as short as can be seen, for each knot of nodes that wait for each other. */
export function findCycles(graph: Graph): number[][] {
  return knots(graph).map((knot) => cycleThrough(graph, knot));
}

/** Strongly connected components of more than one node, or with an edge to itself (Tarjan, with its own stack). */
function knots({ children }: Graph): number[][] {
  const count = children.length;
  const order = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const onStack = new Uint8Array(count);
  const stack: number[] = [];
  const found: number[][] = [];
  let next = 0;
  for (let root = 0; root < count; root += 1) {
    if (order[root] !== -1) continue;
    const calls: { node: number; edge: number }[] = [{ node: root, edge: 0 }];
    while (calls.length > 0) {
      const call = calls.at(-1)!;
      const { node } = call;
      if (call.edge === 0) {
        order[node] = low[node] = next;
        next += 1;
        stack.push(node);
        onStack[node] = 1;
      }
      const child = children[node]![call.edge];
      if (child !== undefined) {
        call.edge += 1;
        if (order[child] === -1) calls.push({ node: child, edge: 0 });
        else if (onStack[child]) low[node] = Math.min(low[node]!, order[child]!);
        continue;
      }
      calls.pop();
      const caller = calls.at(-1);
      if (caller) low[caller.node] = Math.min(low[caller.node]!, low[node]!);
      if (low[node] !== order[node]) continue;
      const knot = stack.splice(stack.lastIndexOf(node));
      for (const member of knot) onStack[member] = 0;
      if (knot.length > 1 || children[node]!.includes(node)) found.push(knot.sort((a, b) => a - b));
    }
  }
  return found.sort((a, b) => a[0]! - b[0]!);
}

/** Shortest way from the knot's first node back to itself. */
function cycleThrough({ children }: Graph, knot: number[]): number[] {
  const members = new Set(knot);
  const start = knot[0]!;
  const cameFrom = new Map<number, number>();
  const queue = [start];
  for (let at = 0; at < queue.length; at += 1) {
    const node = queue[at]!;
    for (const child of children[node]!) {
      if (child === start) {
        const cycle = [node];
        while (cycle[0] !== start) cycle.unshift(cameFrom.get(cycle[0]!)!);
        return cycle;
      }
      if (!members.has(child) || cameFrom.has(child)) continue;
      cameFrom.set(child, node);
      queue.push(child);
    }
  }
  throw new Error('a strongly connected component has no cycle');
}

/** Answers whether one node must end before another starts. Needs an acyclic graph; n² bits of memory. */
export class Ancestors {
  readonly #words: number;
  readonly #bits: Uint32Array;

  constructor(graph: Graph) {
    const count = graph.parents.length;
    this.#words = Math.ceil(count / 32);
    this.#bits = new Uint32Array(this.#words * count);
    for (const node of topologicalOrder(graph)) {
      const row = node * this.#words;
      for (const parent of graph.parents[node]!) {
        const from = parent * this.#words;
        for (let word = 0; word < this.#words; word += 1) this.#bits[row + word]! |= this.#bits[from + word]!;
        this.#bits[row + (parent >>> 5)]! |= 1 << (parent & 31);
      }
    }
  }

  has(node: number, ancestor: number): boolean {
    return (this.#bits[node * this.#words + (ancestor >>> 5)]! & (1 << (ancestor & 31))) !== 0;
  }
}
