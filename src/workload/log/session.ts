import type { WorkloadEvent } from '../event.js';
import type { Parameters } from './parameters.js';

/** A parse or bind whose execute has not been seen yet. */
export interface Step {
  sql: string;
  startedUs: number;
  endedUs: number;
  durationUs: number;
  vxid: string;
}

export interface Bound extends Step {
  parameters: Parameters;
  statementName: string | null;
}

/** A text that log_statement has announced and whose duration follows in a message of its own. */
export interface Announced {
  step: 'statement' | 'execute' | 'fetch';
  text: string;
  detail: string;
}

/** An executed portal: a later fetch from it, or an error at the end of its transaction, still changes the event. */
export interface Held {
  event: WorkloadEvent;
  vxid: string;
}

/** Above this a client leaks statement names; the oldest are forgotten. */
const mostSteps = 10_000;

/** What is known of one session of the server while its log is read. */
export class Session {
  readonly id: string;
  /** The number that its next message must have; undefined before the first. */
  nextLine: number | undefined;
  /** The beginning of its connection was not seen. */
  openAtStart = true;
  countedOpen = false;
  /** Number of the open transaction block; undefined outside one. */
  block: number | undefined;
  lastTransaction = 0;
  /** Virtual transaction of the last event outside a block: two events of one are a pipeline. */
  lastVxid = '';
  announced: Announced | undefined;
  hasEvents = false;
  /** Virtual transaction of the open block, once known. */
  blockVxid = '';
  readonly parsed = new Map<string, Step>();
  readonly names = new Set<string>();
  readonly bound = new Map<string, Bound>();
  readonly held = new Map<string, Held>();

  constructor(id: string) {
    this.id = id;
  }

  addParsed(name: string, step: Step): void {
    this.parsed.set(name, step);
    this.names.add(name);
    forgetOldest(this.parsed);
    forgetOldest(this.names);
  }

  addBound(target: string, bound: Bound): void {
    this.bound.set(target, bound);
    forgetOldest(this.bound);
  }

  /** The statement's name in `NAME` or `NAME/PORTAL`: a name may hold a slash itself. */
  statementOf(target: string): string {
    if (this.names.has(target)) return target;
    const slash = target.lastIndexOf('/');
    return slash < 0 ? target : target.slice(0, slash);
  }
}

function forgetOldest(known: Map<string, unknown> | Set<string>): void {
  if (known.size > mostSteps) known.delete(known.keys().next().value as string);
}

/** Whether a virtual transaction id names a transaction: `3/0` says there was none. */
export function isTransaction(vxid: string): boolean {
  return vxid !== '' && !vxid.endsWith('/0');
}
