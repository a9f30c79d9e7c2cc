import { Graph, layout } from '@dagrejs/dagre';

export interface LayoutNode {
  name: string;
  parents: readonly string[];
}

export interface Placed {
  name: string;
  x: number;
  y: number;
}

export const NODE_WIDTH = 216;
export const NODE_HEIGHT = 74;

/** Where each command stands, top left, parents before children. */
export function placeNodes(nodes: readonly LayoutNode[], direction: 'LR' | 'TB'): Placed[] {
  const graph = new Graph();
  graph.setGraph({
    rankdir: direction,
    nodesep: 22,
    ranksep: direction === 'LR' ? 52 : 40,
    marginx: 8,
    marginy: 8,
  });
  graph.setDefaultEdgeLabel(() => ({}));
  const names = new Set(nodes.map((node) => node.name));
  for (const node of nodes) graph.setNode(node.name, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const node of nodes) {
    for (const parent of node.parents) if (names.has(parent)) graph.setEdge(parent, node.name);
  }
  layout(graph);
  return nodes.map((node) => {
    const { x, y } = graph.node(node.name) as { x: number; y: number };
    return { name: node.name, x: x - NODE_WIDTH / 2, y: y - NODE_HEIGHT / 2 };
  });
}
