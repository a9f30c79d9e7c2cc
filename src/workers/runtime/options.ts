import type { Clock, Logger } from '../../base/index.js';
import type { WorkerKind } from '../../store/index.js';
import type { WorkerCommand } from '../command.js';

/** What a worker process is started with. Times in ms. */
export interface WorkerOptions {
  /** `https://host:port`, or `http://` on loopback. */
  controlUrl: string;
  /** Sent as a bearer token with every call; never logged, never written. */
  token: string;
  kind: WorkerKind;
  /** The id the control plane gave; absent: the one last used on this root, or a new one. */
  id?: string;
  name: string;
  /** The worker's folder. It writes nowhere else, and one process at a time uses it. */
  root: string;
  region?: string;
  /** Whether COMMAND may run here: never (default), any program, or only those named. */
  allowCommand?: boolean | string[];
  /** A PEM file (or PEM text) with the certificate authority to trust besides the system's. */
  tls?: {
    ca?: string;
    /** The name that the certificate must bear, where it is not the one in `controlUrl`: behind a tunnel, say. */
    serverName?: string;
  };
  /** Permits `http://` to another host, where the token travels in the clear. */
  insecure?: boolean;
  /** How long it looks for a control plane with nothing in hand before it ends itself. Default 10 min. */
  orphanTimeoutMs?: number;
  /** How long a cancelled command may clean up before it is reported as one that does not stop. Default 30 s. */
  cancelGraceMs?: number;
  /** How long draining waits for what runs before it is cancelled. Default 5 min. */
  drainLimitMs?: number;
  logger: Logger;
  /** Modules with further command types or data collectors: see loadCommands. */
  plugins?: string[];
  /** The commands it can do. Default: the built-in ones and those of `plugins`. */
  commands?: WorkerCommand[];
  /** Take nothing new, end when idle. */
  drain?: AbortSignal;
  /** Cancel what runs, clean up, end. */
  signal: AbortSignal;
  clock?: Clock;
}
