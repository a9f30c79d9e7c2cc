import type { Clock, Logger, ProgressSink } from '../base/index.js';
import type { CommandType } from '../dag/index.js';
import type { CloneConnection, SettingBefore } from '../store/index.js';

/** The target of a run as a worker sees it. Connection strings live in memory only: never logged, never on disk. */
export interface TargetAccess {
  id: string;
  name: string;
  production: boolean;
  primaryUrl: string;
  replicaUrl?: string;
}

/** A clone of this run, known to the control plane. */
export interface CloneAccess {
  id: string;
  /** The command that launched it. */
  command: string;
  workerId: string;
  connection: CloneConnection;
}

export interface ArtifactRef {
  id: string;
  kind: string;
  name: string;
  format: string;
  bytes: number;
  rows?: number;
  sha256: string;
}

export interface ArtifactDraft {
  kind: string;
  /** File name shown to people, such as `workload.parquet`. */
  name: string;
  format: 'parquet' | 'json';
  rows?: number;
  /** kind-specific: schema version, columns, counts, what was lost, inputs. Provenance is added by the control plane. */
  manifest: Record<string, unknown>;
}

/** Sends files to and fetches them from the control plane's artifact store. */
export interface Artifacts {
  put(file: string, draft: ArtifactDraft): Promise<ArtifactRef>;
  /** Downloads (once) into the worker's root, verifies the checksum, returns the path. */
  get(id: string): Promise<{ path: string; manifest: Record<string, unknown> }>;
}

export interface OpenChange {
  id: string;
  server: 'primary' | 'replica';
  setting: string;
  before: SettingBefore;
  ours: string;
}

/** The journal of setting changes, kept by the control plane so that it outlives every worker. */
export interface ChangeJournal {
  /** Durable before it resolves. Rejects with CHANGE_OPEN when someone else's change of that setting is open. */
  intend(changes: Omit<OpenChange, 'id'>[], reason: string): Promise<OpenChange[]>;
  resolve(id: string, state: 'RESTORED' | 'KEPT_THEIRS', note?: string): Promise<void>;
}

/** Registers clones with the control plane before anything is created for them. */
export interface CloneRegistry {
  started(clone: {
    id: string;
    method?: string;
    source?: string;
    expiresAt?: string;
    keep: boolean;
    limits: Record<string, unknown>;
  }): Promise<void>;
  ready(clone: {
    id: string;
    method: string;
    connection: CloneConnection;
    version: string;
    lsn?: string;
    bytes: number;
    seconds: number;
  }): Promise<void>;
  stopped(id: string, note?: string): Promise<void>;
}

/** What a command may use while it runs at a worker. */
export interface CommandContext {
  runId: string;
  command: string;
  attempt: number;
  /** `<run>/<command>`: the same for every attempt, so that a second one finds what the first left. */
  key: string;
  workerId: string;
  /** The worker's own folder: nothing outside it is ever written, stopped or deleted. */
  root: string;
  /** What COMMAND may run at this worker: nothing (false or absent), any program, or those named. */
  allowCommand?: boolean | readonly string[];
  target?: TargetAccess;
  /** Clones of this run that are READY, by launch command. */
  clones: CloneAccess[];
  /** Outputs of the commands that this one's config names (CommandType.references), by name. */
  outputs?: Readonly<Record<string, unknown>>;
  /** Aborted on cancel, timeout, drain and loss of the lease. */
  signal: AbortSignal;
  logger: Logger;
  clock: Clock;
  log(level: 'info' | 'warn' | 'error', message: string): void;
  progress: ProgressSink;
  artifacts: Artifacts;
  journal: ChangeJournal;
  cloneRegistry: CloneRegistry;
}

/** A command type and how a worker does it. */
export interface WorkerCommand<Config = unknown, Output = unknown> {
  readonly type: CommandType<Config, Output>;
  run(config: Config, context: CommandContext): Promise<Output>;
}
