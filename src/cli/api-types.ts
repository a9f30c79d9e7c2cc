import type { ErrorJson, Progress } from '../base/index.js';
import type { CommandState, RunState } from '../store/index.js';

/** What the commands here read of the API's views; the API gives more. */
export interface RunSummary {
  id: string;
  name: string;
  state: RunState;
  targetName?: string;
  createdBy: string;
  createdAt: string;
  durationMs?: number;
  cancelRequested: boolean;
  error?: ErrorJson;
}

export interface CommandView {
  name: string;
  type: string;
  cleanup: boolean;
  state: CommandState;
  attempt: number;
  maxAttempts: number;
  reason?: string;
  progress?: Progress;
  seconds?: number;
  error?: ErrorJson;
  artifacts: ArtifactView[];
}

export interface RunListItem extends RunSummary {
  commands: { total: number; succeeded: number; failed: number; running: number };
}

export interface RunDetail extends RunSummary {
  commands: CommandView[];
}

/** What the stream of a run sends on each change. */
export interface RunLight {
  id: string;
  state: RunState;
  commands: Pick<CommandView, 'name' | 'state' | 'attempt' | 'progress' | 'error' | 'reason'>[];
}

export interface EventView {
  id: number;
  at: string;
  kind: 'run' | 'command' | 'log' | 'progress';
  command?: string;
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
}

export interface TargetView {
  id: string;
  name: string;
  production: boolean;
  address: { host: string; port: number; database: string; user: string };
  replicaAddress?: { host: string; port: number; database: string; user: string };
  state: string;
  health?: {
    version?: string;
    isStandby?: boolean;
    sizeBytes?: number;
    connections?: number;
    maxConnections?: number;
    captureMethods?: { method: string; possible: boolean; why: string }[];
    warnings?: string[];
    error?: string;
    hint?: string;
  };
  checkedAt?: string;
  createdAt: string;
  openChanges: { setting: string; server: string; ours: string; reason: string }[];
}

export interface ArtifactView {
  id: string;
  kind: string;
  name: string;
  format: string;
  bytes: number;
  rows?: number;
  sha256: string;
  runId?: string;
  command?: string;
  createdAt: string;
  expiresAt?: string;
  summary: Record<string, number | string>;
}

export interface TemplateView {
  sql: string;
  calls: number;
  errors: number;
  meanMs: number;
  p99Ms: number;
  totalMs: number;
}

export interface WorkerView {
  id: string;
  kind: string;
  name: string;
  how: string;
  state: string;
  leaseExpiresAt?: string;
  info: { host?: string; version?: string };
  note?: string;
  running: { runId: string; command: string }[];
}

export interface CloneView {
  id: string;
  runId?: string;
  command?: string;
  workerId: string;
  method?: string;
  state: string;
  connection?: { host: string; port: number; database: string };
  version?: string;
  bytes?: number;
  expiresAt?: string;
  note?: string;
}

export interface ScheduleView {
  id: string;
  name: string;
  cron: string;
  timeZone: string;
  enabled: boolean;
  overlap: string;
  nextAt?: string;
  lastAt?: string;
  lastRunId?: string;
  lastNote?: string;
}

export interface TokenView {
  id: string;
  name: string;
  role: string;
  createdBy: string;
  createdAt: string;
  expiresAt?: string;
  lastUsedAt?: string;
  revokedAt?: string;
}

export interface AuditView {
  id: number;
  at: string;
  actor: string;
  action: string;
  subject: string;
  outcome: string;
}
