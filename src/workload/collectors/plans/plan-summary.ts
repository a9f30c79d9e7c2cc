/** What most readers ask of a plan, so that they need not walk it. */
export interface PlanSummary {
  totalCost: number;
  planRows: number;
  /** With ANALYZE only. */
  actualRows: number | null;
  planningMs: number | null;
  executionMs: number | null;
  sharedHitBlocks: number;
  sharedReadBlocks: number;
  tempWrittenBlocks: number;
  /** Node types with how often each occurs. */
  nodes: Record<string, number>;
  indexes: string[];
  /** Relations that are read from end to end. */
  sequentialScans: string[];
  /** The worst factor between estimated and actual rows of a node; with ANALYZE only. */
  worstRowError: number | null;
}

interface PlanNode {
  'Node Type': string;
  'Total Cost': number;
  'Plan Rows': number;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Shared Hit Blocks'?: number;
  'Shared Read Blocks'?: number;
  'Temp Written Blocks'?: number;
  'Index Name'?: string;
  'Relation Name'?: string;
  Schema?: string;
  Plans?: PlanNode[];
}

/** One element of EXPLAIN (FORMAT JSON). */
export interface ExplainOutput {
  Plan: PlanNode;
  'Planning Time'?: number;
  'Execution Time'?: number;
}

export function summarisePlan(output: ExplainOutput): PlanSummary {
  const top = output.Plan;
  const all = nodesOf(top);
  const nodes: Record<string, number> = {};
  for (const node of all) nodes[node['Node Type']] = (nodes[node['Node Type']] ?? 0) + 1;
  const errors = all.flatMap((node) => rowError(node) ?? []);
  return {
    totalCost: top['Total Cost'],
    planRows: top['Plan Rows'],
    actualRows: top['Actual Rows'] ?? null,
    planningMs: output['Planning Time'] ?? null,
    executionMs: output['Execution Time'] ?? null,
    // A node's buffers include those of the nodes below it.
    sharedHitBlocks: top['Shared Hit Blocks'] ?? 0,
    sharedReadBlocks: top['Shared Read Blocks'] ?? 0,
    tempWrittenBlocks: top['Temp Written Blocks'] ?? 0,
    nodes,
    indexes: [...new Set(all.flatMap((node) => node['Index Name'] ?? []))],
    sequentialScans: [
      ...new Set(
        all.flatMap((node) => (node['Node Type'] === 'Seq Scan' ? (node['Relation Name'] ?? []) : [])),
      ),
    ],
    worstRowError: errors.length === 0 ? null : Math.max(...errors),
  };
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

/** Nodes that never ran have nothing to be compared with; below one row the planner does not go. */
function rowError(node: PlanNode): number | undefined {
  if (node['Actual Rows'] === undefined || node['Actual Loops'] === 0) return undefined;
  const actual = Math.max(1, node['Actual Rows']);
  const estimated = Math.max(1, node['Plan Rows']);
  return Math.max(actual / estimated, estimated / actual);
}
