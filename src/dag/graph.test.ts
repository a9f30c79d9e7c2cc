import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ancestors, findCycles, graphOf, topologicalOrder } from './graph.js';

const anyGraph = fc
  .integer({ min: 1, max: 12 })
  .chain((count) =>
    fc.array(fc.uniqueArray(fc.nat(count - 1), { maxLength: 3 }), { minLength: count, maxLength: count }),
  );

describe('graph', () => {
  it('a graph has an order of all its nodes exactly when it has no cycle', () => {
    fc.assert(
      fc.property(anyGraph, (parents) => {
        const graph = graphOf(parents);
        const order = topologicalOrder(graph);
        const cycles = findCycles(graph);
        expect(order.length === parents.length).toBe(cycles.length === 0);
        for (const [at, node] of order.entries()) {
          for (const parent of parents[node]!) expect(order.slice(0, at)).toContain(parent);
        }
      }),
    );
  });

  it('what is said to be a cycle is one', () => {
    fc.assert(
      fc.property(anyGraph, (parents) => {
        for (const cycle of findCycles(graphOf(parents))) {
          expect(new Set(cycle).size).toBe(cycle.length);
          cycle.forEach((node, at) => {
            expect(parents[cycle[(at + 1) % cycle.length]!]).toContain(node);
          });
        }
      }),
    );
  });

  it('ancestors are what can be reached upwards', () => {
    const acyclic = fc
      .array(fc.array(fc.nat(100), { maxLength: 3 }), { minLength: 1, maxLength: 70 })
      .map((picks) =>
        picks.map((list, node) => (node === 0 ? [] : [...new Set(list.map((pick) => pick % node))])),
      );
    fc.assert(
      fc.property(acyclic, (parents) => {
        const ancestors = new Ancestors(graphOf(parents));
        const reach = parents.map(() => new Set<number>());
        parents.forEach((list, node) => {
          for (const parent of list) for (const one of [parent, ...reach[parent]!]) reach[node]!.add(one);
        });
        parents.forEach((_, node) => {
          parents.forEach((__, other) => {
            expect(ancestors.has(node, other)).toBe(reach[node]!.has(other));
          });
        });
      }),
      { numRuns: 60 },
    );
  });
});
