import '@xyflow/react/dist/style.css';
import './dag-graph.css';
import {
  Controls,
  type Edge,
  Handle,
  MarkerType,
  type Node,
  type NodeChange,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  type Viewport,
} from '@xyflow/react';
import { type RefObject, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { CommandState, Progress } from '../../api/types.js';
import { NODE_HEIGHT, NODE_WIDTH, type Placed, placeNodes } from '../../lib/dag-layout.js';
import { words } from '../../lib/format.js';
import { useResolvedTheme } from '../../theme/theme.js';
import { Status, toneOf } from '../status.js';
import { Badge, ProgressBar } from '../values.js';
import { Elapsed } from './elapsed.js';

/** What the graph needs of a command: of a run with its state, of a draft without. */
export interface GraphCommand {
  name: string;
  type: string;
  parents: string[];
  cleanup: boolean;
  state?: CommandState;
  attempt?: number;
  maxAttempts?: number;
  progress?: Progress | undefined;
  startedAt?: string | undefined;
  endedAt?: string | undefined;
  seconds?: number | undefined;
  when?: string;
}

interface DagGraphProps {
  commands: readonly GraphCommand[];
  selected: string | undefined;
  onSelect: (name: string | undefined) => void;
  label: string;
}

type Direction = 'LR' | 'TB';
type CommandNode = Node<{ command: GraphCommand; direction: Direction }, 'command'>;

/** Below this the names of commands cannot be read. */
const READABLE = 0.58;
const MARGIN = 16;

const NODE_TYPES = { command: CommandCard };

export function DagGraph(props: DagGraphProps) {
  return (
    <ReactFlowProvider>
      <Graph {...props} />
    </ReactFlowProvider>
  );
}

function Graph({ commands, selected, onSelect, label }: DagGraphProps) {
  const theme = useResolvedTheme();
  const flow = useReactFlow();
  const frame = useRef<HTMLDivElement>(null);
  const size = useSize(frame);
  // The layout follows the structure alone: a change of state moves nothing.
  const shape = commands.map((one) => `${one.name}<${one.parents.join(',')}`).join(';');
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for what the layout reads
  const { placed, direction } = useMemo(() => arrange(commands, size), [shape, size?.width, size?.height]);
  const positions = useMemo(() => new Map(placed.map(({ name, x, y }) => [name, { x, y }])), [placed]);
  const nodes = useMemo<CommandNode[]>(
    () =>
      commands.map((command) => ({
        id: command.name,
        type: 'command',
        position: positions.get(command.name) ?? { x: 0, y: 0 },
        width: NODE_WIDTH,
        height: NODE_HEIGHT,
        selected: command.name === selected,
        ariaLabel: describe(command),
        data: { command, direction },
      })),
    [commands, positions, selected, direction],
  );
  const edges = useMemo<Edge[]>(() => {
    const byName = new Map(commands.map((command) => [command.name, command]));
    return commands.flatMap((command) =>
      command.parents
        .filter((parent) => byName.has(parent))
        .map((parent) => {
          const state = byName.get(parent)?.state;
          const active = command.state === 'RUNNING';
          return {
            id: `${parent}→${command.name}`,
            source: parent,
            target: command.name,
            focusable: false,
            className: `dag-edge ${state ? `dag-edge-${toneOf(state)}` : ''} ${active ? 'dag-edge-live' : ''}`,
            ...(command.cleanup && { style: { strokeDasharray: '4 4' } }),
            markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14 },
          };
        }),
    );
  }, [commands]);

  // A new shape or another width is brought into view; a new state moves nothing.
  useEffect(() => {
    if (size.width > 0) void flow.setViewport(viewOf(placed, size));
  }, [flow, placed, size]);

  return (
    <section ref={frame} className="dag" aria-label={label}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        colorMode={theme}
        minZoom={0.2}
        maxZoom={1.5}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        deleteKeyCode={null}
        zoomOnScroll={false}
        preventScrolling={false}
        panOnScroll={false}
        proOptions={{ hideAttribution: true }}
        onNodesChange={(changes: NodeChange<CommandNode>[]) => {
          const chosen = changes.find((change) => change.type === 'select' && change.selected);
          if (chosen?.type === 'select') onSelect(chosen.id);
        }}
        onPaneClick={() => onSelect(undefined)}
      >
        <Controls showInteractive={false} fitViewOptions={{ padding: 0.08, maxZoom: 1 }} />
      </ReactFlow>
    </section>
  );
}

function CommandCard({ data }: NodeProps<CommandNode>) {
  const { command, direction } = data;
  const running = command.state === 'RUNNING';
  const share =
    running && command.progress?.total ? (command.progress.done ?? 0) / command.progress.total : undefined;
  return (
    <div className={`dag-node ${command.state ? `tone-${toneOf(command.state)}` : ''}`}>
      <Handle
        type="target"
        position={direction === 'LR' ? Position.Left : Position.Top}
        isConnectable={false}
      />
      <div className="dag-node-name truncate" title={command.name}>
        {command.name}
      </div>
      <div className="dag-node-type truncate" title={command.type}>
        {command.type}
      </div>
      <div className="dag-node-foot">
        {command.state ? (
          <Status
            state={command.state}
            text={running && command.progress?.phase ? command.progress.phase : undefined}
          />
        ) : (
          <span className="row">
            {command.cleanup && <Badge>clean-up</Badge>}
            {command.when && command.when !== 'all_succeeded' && <Badge title={command.when}>when</Badge>}
            {!command.cleanup && (!command.when || command.when === 'all_succeeded') && (
              <span className="faint">
                {command.parents.length === 0 ? 'starts the run' : 'after its parents'}
              </span>
            )}
          </span>
        )}
        <span className="dag-node-time">
          {(command.attempt ?? 0) > 1 && (
            <Badge tone="warn" title="Attempt">
              {command.attempt}/{command.maxAttempts}
            </Badge>
          )}
          <Elapsed command={command} />
        </span>
      </div>
      {share !== undefined && <ProgressBar value={share} label={`Progress of ${command.name}`} />}
      <Handle
        type="source"
        position={direction === 'LR' ? Position.Right : Position.Bottom}
        isConnectable={false}
      />
    </div>
  );
}

interface Size {
  width: number;
  height: number;
}

/** The size of an element; small changes, such as a scroll bar's, do not count. */
function useSize(ref: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const read = () =>
      setSize((known) => {
        const next = { width: element.clientWidth, height: element.clientHeight };
        return Math.abs(next.width - known.width) + Math.abs(next.height - known.height) < 24 ? known : next;
      });
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return size;
}

/** Whichever of the two directions shows more of the graph at a readable size. */
function arrange(commands: readonly GraphCommand[], size: Size) {
  const plan = (direction: Direction) => {
    const placed = placeNodes(commands, direction);
    return { direction, placed, zoom: zoomFor(placed, size) };
  };
  const across = plan('LR');
  // Twice the layout is worth it only where a person can see the whole.
  if (commands.length > 150 || across.zoom >= 0.95) return across;
  const down = plan('TB');
  return down.zoom > across.zoom * 1.1 ? down : across;
}

function boundsOf(placed: readonly Placed[]): Size {
  return {
    width: Math.max(1, ...placed.map((node) => node.x + NODE_WIDTH)),
    height: Math.max(1, ...placed.map((node) => node.y + NODE_HEIGHT)),
  };
}

function zoomFor(placed: readonly Placed[], size: Size): number {
  const bounds = boundsOf(placed);
  return Math.min((size.width - 2 * MARGIN) / bounds.width, (size.height - 2 * MARGIN) / bounds.height);
}

/** All of it where it stays readable; otherwise its beginning, to be dragged or zoomed. */
function viewOf(placed: readonly Placed[], size: Size): Viewport {
  const bounds = boundsOf(placed);
  const zoom = Math.min(1, Math.max(READABLE, zoomFor(placed, size)));
  const start = (length: number, room: number) =>
    length * zoom <= room ? (room - length * zoom) / 2 : MARGIN;
  return { x: start(bounds.width, size.width), y: start(bounds.height, size.height), zoom };
}

function describe(command: GraphCommand): string {
  return [
    command.name,
    command.type,
    command.state && words(command.state),
    command.attempt && command.attempt > 1
      ? `attempt ${command.attempt} of ${command.maxAttempts}`
      : undefined,
    command.parents.length > 0 ? `after ${command.parents.join(', ')}` : 'first',
  ]
    .filter(Boolean)
    .join(', ');
}
