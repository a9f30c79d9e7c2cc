import './status.css';
import type { ReactNode } from 'react';
import { words } from '../lib/format.js';

type Tone = 'ok' | 'warn' | 'bad' | 'active' | 'idle';
type Shape = 'check' | 'cross' | 'bang' | 'spin' | 'ring' | 'dash' | 'clock' | 'dots' | 'back' | 'question';

const LOOKS: Record<string, [Tone, Shape]> = {
  PENDING: ['idle', 'ring'],
  READY: ['active', 'dots'],
  RUNNING: ['active', 'spin'],
  SUCCEEDED: ['ok', 'check'],
  FAILED: ['bad', 'cross'],
  SKIPPED: ['idle', 'dash'],
  CANCELLED: ['idle', 'cross'],
  TIMED_OUT: ['bad', 'clock'],
  ASSIGNED: ['active', 'dots'],
  LOST: ['bad', 'question'],
  HEALTHY: ['ok', 'check'],
  UNHEALTHY: ['bad', 'cross'],
  UNKNOWN: ['idle', 'question'],
  STARTING: ['active', 'dots'],
  STOPPING: ['warn', 'dots'],
  DRAINING: ['warn', 'dots'],
  STOPPED: ['idle', 'dash'],
  INTENDED: ['warn', 'bang'],
  RESTORED: ['ok', 'back'],
  KEPT_THEIRS: ['idle', 'dash'],
  done: ['ok', 'check'],
  refused: ['warn', 'bang'],
  failed: ['bad', 'cross'],
};

/** A worker or a clone that is ready is well; a command that is ready still waits. */
const WELL: [Tone, Shape] = ['ok', 'check'];

const look = (state: string, of?: 'fleet'): [Tone, Shape] =>
  of === 'fleet' && state === 'READY' ? WELL : (LOOKS[state] ?? ['idle', 'ring']);

export const toneOf = (state: string): Tone => look(state)[0];

const TEXTS: Record<string, string> = {
  INTENDED: 'in force',
  KEPT_THEIRS: "kept the owner's",
};

interface StatusProps {
  state: string;
  of?: 'fleet';
  /** Instead of the state's own word. */
  text?: ReactNode;
  /** `pill` stands out, `plain` sits in a table. */
  look?: 'pill' | 'plain';
}

/** A state by shape, colour and word. */
export function Status({ state, of, text, look: style = 'plain' }: StatusProps) {
  const [tone] = look(state, of);
  return (
    <span className={`status status-${style} tone-${tone}`} data-state={state}>
      <StatusIcon state={state} {...(of && { of })} />
      <span className={typeof text === 'object' ? undefined : 'status-word'}>
        {text ?? TEXTS[state] ?? words(state)}
      </span>
    </span>
  );
}

export function StatusIcon({ state, of }: { state: string; of?: 'fleet' }) {
  const [tone, shape] = look(state, of);
  return (
    <svg className={`status-icon tone-${tone} shape-${shape}`} viewBox="0 0 16 16" aria-hidden="true">
      {SHAPES[shape]}
    </svg>
  );
}

const disc = <circle cx="8" cy="8" r="7" className="status-disc" />;
const SHAPES: Record<Shape, ReactNode> = {
  check: (
    <>
      {disc}
      <path d="m4.9 8.3 2.1 2.1 4.1-4.6" className="status-mark" />
    </>
  ),
  cross: (
    <>
      <path d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" className="status-disc" />
      <path d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8" className="status-mark" />
    </>
  ),
  bang: (
    <>
      <path d="M8 1.2 15.4 14.4H.6z" className="status-disc" />
      <path d="M8 6v3.6m0 2.1v.2" className="status-mark" />
    </>
  ),
  clock: (
    <>
      <path d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" className="status-disc" />
      <path d="M8 4.6V8l2.2 1.8" className="status-mark" />
    </>
  ),
  spin: (
    <>
      <circle cx="8" cy="8" r="6" className="status-track" />
      <path d="M8 2a6 6 0 0 1 6 6" className="status-ring status-turn" />
    </>
  ),
  ring: <circle cx="8" cy="8" r="6" className="status-ring" strokeDasharray="2.6 2.1" />,
  dots: (
    <>
      <circle cx="8" cy="8" r="6" className="status-ring" />
      <circle cx="8" cy="8" r="2.4" className="status-dot" />
    </>
  ),
  dash: (
    <>
      <circle cx="8" cy="8" r="6" className="status-ring" />
      <path d="M5.4 8h5.2" className="status-ring" />
    </>
  ),
  back: (
    <>
      {disc}
      <path d="M11 10.6a3.2 3.2 0 1 0-5.4-2.3M5.2 5.6l.3 2.9 2.8-.5" className="status-mark status-thin" />
    </>
  ),
  question: (
    <>
      <circle cx="8" cy="8" r="6" className="status-ring" />
      <path d="M6.3 6.6a1.8 1.8 0 1 1 2.4 1.7c-.5.2-.7.5-.7 1m0 1.7v.2" className="status-ring status-thin" />
    </>
  ),
};
