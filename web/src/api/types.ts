/** The shapes of the HTTP API, /api/v1. Times are ISO-8601 UTC, durations ms, sizes bytes. */

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

export type Role = 'viewer' | 'operator' | 'admin' | 'worker';

export interface Issue {
  path: string;
  message: string;
  line?: number;
}

export interface ErrorJson {
  code: string;
  message: string;
  hint?: string;
  where?: string;
  issues?: Issue[];
  transient?: boolean;
}

export interface Page<T> {
  items: T[];
  next?: string;
}

export interface Session {
  actor: string;
  role: Role;
  open: boolean;
}

export interface Address {
  host: string;
  port: number;
  database: string;
  user: string;
}

export interface CaptureMethod {
  method: string;
  possible: boolean;
  why: string;
}

export interface TargetHealth {
  version?: string;
  major?: number;
  isStandby?: boolean;
  sizeBytes?: number;
  connections?: number;
  maxConnections?: number;
  replicationLagBytes?: number;
  loggingCollector?: boolean;
  captureMethods?: CaptureMethod[];
  replica?: {
    version?: string;
    isStandby?: boolean;
    /** Its system identifier is the primary's. */
    ofThisPrimary?: boolean;
    lagBytes?: number;
    lagMs?: number;
    error?: string;
  };
  warnings?: string[];
  error?: string;
  hint?: string;
}

export interface SettingBefore {
  autoConf: string | null;
  value: string;
  source: string;
}

export type ChangeState = 'INTENDED' | 'RESTORED' | 'KEPT_THEIRS';

export interface ChangeView {
  id: string;
  targetId: string;
  server: string;
  setting: string;
  before: SettingBefore;
  ours: string;
  state: ChangeState;
  reason: string;
  runId?: string;
  command?: string;
  note?: string;
  createdAt: string;
  resolvedAt?: string;
}

export interface ArtifactView {
  id: string;
  kind: string;
  name: string;
  format: string;
  bytes: number;
  rows?: number;
  sha256: string;
  targetId?: string;
  runId?: string;
  command?: string;
  createdAt: string;
  expiresAt?: string;
  summary: Record<string, number | string>;
}

export type TargetState = 'UNKNOWN' | 'HEALTHY' | 'UNHEALTHY';

export interface TargetView {
  id: string;
  name: string;
  production: boolean;
  address: Address;
  replicaAddress?: Address;
  state: TargetState;
  health?: TargetHealth;
  checkedAt?: string;
  createdAt: string;
  openChanges: ChangeView[];
  lastCapture?: ArtifactView;
}

export interface TemplateView {
  fingerprint: string;
  sql: string;
  calls: number;
  errors: number;
  meanMs: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  totalMs: number;
  sparkline: number[];
}

export interface WorkloadSeries {
  /** Start of each bucket, ms since the epoch. */
  t: number[];
  count: number[];
  p50Ms: (number | null)[];
  p99Ms: (number | null)[];
}

export interface WorkloadView {
  captures: ArtifactView[];
  latest?: { artifactId?: string; templates: TemplateView[]; series: WorkloadSeries };
}

export interface CaptureView {
  artifact: ArtifactView;
  templates: TemplateView[];
  series: WorkloadSeries;
  manifest: Record<string, JsonValue>;
}

export interface SettingView {
  name: string;
  value: string | null;
  unit?: string;
  source: string;
  context: string;
  pendingRestart: boolean;
  description: string;
  category?: string;
}

/** As much of JSON Schema as the reference shows. */
export interface JsonSchema {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: JsonValue;
  enum?: JsonValue[];
  const?: JsonValue;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema | boolean;
  additionalProperties?: JsonSchema | boolean;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
}

export interface CommandTypeView {
  type: string;
  summary: string;
  place?: string;
  configSchema: JsonSchema;
  outputSchema?: JsonSchema;
  defaultTimeoutMs?: number;
}

export interface CollectorView {
  type: string;
  summary: string;
  configSchema: JsonSchema;
}

export type ParameterType = 'string' | 'integer' | 'number' | 'boolean' | 'duration' | 'object' | 'array';

export interface DagParameter {
  name: string;
  type: ParameterType;
  description?: string;
  default?: JsonValue;
}

export interface DagCommand {
  name: string;
  type: string;
  parents: string[];
  config: { [key: string]: JsonValue };
  timeoutMs?: number;
  retry: { attempts: number; backoffMs: number; factor: number; maxBackoffMs: number };
  when: string;
  cleanup: boolean;
  concurrencyKey?: string;
}

export interface Dag {
  name: string;
  version: string;
  description?: string;
  target?: string;
  timeoutMs?: number;
  parameters: DagParameter[];
  commands: DagCommand[];
}

export interface Validation {
  valid: boolean;
  issues: Issue[];
  dag?: Dag;
}

export type RunState = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT';
export type CommandState = RunState | 'READY' | 'SKIPPED';
export type AttemptState =
  | 'ASSIGNED'
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'CANCELLED'
  | 'TIMED_OUT'
  | 'LOST';

export interface Progress {
  phase: string;
  done?: number;
  total?: number;
  unit?: 'bytes' | 'rows' | 'statements' | 'files' | 'seconds' | 'trials';
  message?: string;
}

export interface RunSummary {
  id: string;
  name: string;
  state: RunState;
  targetId?: string;
  targetName?: string;
  createdBy: string;
  createdAt: string;
  startedAt?: string;
  endedAt?: string;
  durationMs?: number;
  cancelRequested: boolean;
  commands: { total: number; succeeded: number; failed: number; running: number };
  error?: ErrorJson;
  rerunOf?: string;
  scheduleId?: string;
}

export interface AttemptView {
  number: number;
  state: AttemptState;
  workerId?: string;
  startedAt?: string;
  endedAt?: string;
  error?: ErrorJson;
}

export interface CommandView {
  name: string;
  type: string;
  parents: string[];
  cleanup: boolean;
  state: CommandState;
  attempt: number;
  maxAttempts: number;
  reason?: string;
  progress?: Progress;
  workerId?: string;
  readyAt?: string;
  startedAt?: string;
  endedAt?: string;
  seconds?: number;
  input?: JsonValue;
  output?: JsonValue;
  error?: ErrorJson;
  attempts: AttemptView[];
  artifacts: ArtifactView[];
}

export interface RunDetail extends Omit<RunSummary, 'commands'> {
  dag: Dag;
  document: JsonValue;
  parameters: Record<string, JsonValue>;
  commands: CommandView[];
}

export type EventLevel = 'debug' | 'info' | 'warn' | 'error';

export interface EventView {
  id: number;
  at: string;
  kind: 'run' | 'command' | 'log' | 'progress';
  command?: string;
  level: EventLevel;
  message: string;
  data?: JsonValue;
}

export interface RunStateEvent {
  id: string;
  state: RunState;
  commands: {
    name: string;
    state: CommandState;
    attempt: number;
    progress?: Progress | null;
    startedAt?: string | null;
    endedAt?: string | null;
    error?: ErrorJson | null;
    reason?: string | null;
  }[];
}

export type CloneState = 'STARTING' | 'READY' | 'STOPPING' | 'STOPPED' | 'LOST';

export interface CloneView {
  id: string;
  runId?: string;
  command?: string;
  workerId: string;
  targetId?: string;
  method?: string;
  source?: string;
  state: CloneState;
  connection?: { host: string; port: number; socketDirectory?: string; user: string; database: string };
  version?: string;
  lsn?: string;
  bytes?: number;
  seconds?: number;
  expiresAt?: string;
  createdAt: string;
  stoppedAt?: string;
  note?: string;
}

export type WorkerState = 'STARTING' | 'READY' | 'DRAINING' | 'LOST' | 'STOPPED';

export interface WorkerView {
  id: string;
  kind: 'primary' | 'exploratory';
  name: string;
  how: 'local' | 'ssh' | 'manual';
  state: WorkerState;
  targetId?: string;
  runId?: string;
  leaseEpoch: number;
  leaseExpiresAt?: string;
  controlPlaneId?: string;
  info: {
    host?: string;
    pid?: number;
    version?: string;
    root?: string;
    freeBytes?: number;
    cores?: number;
    memoryBytes?: number;
    region?: string;
    postgres?: { major: number; bin: string }[];
    allowCommand?: boolean;
  };
  note?: string;
  createdAt: string;
  attachedAt?: string;
  stoppedAt?: string;
  running: { runId: string; command: string }[];
}

export interface ScheduleView {
  id: string;
  name: string;
  cron: string;
  timeZone: string;
  enabled: boolean;
  overlap: 'skip' | 'allow';
  nextAt?: string;
  lastAt?: string;
  lastRunId?: string;
  lastNote?: string;
  document: JsonValue;
  parameters: Record<string, JsonValue>;
  targetId?: string;
  createdBy: string;
  createdAt: string;
}

export interface TokenView {
  id: string;
  name: string;
  role: Role;
  createdBy: string;
  createdAt: string;
  expiresAt?: string;
  lastUsedAt?: string;
  revokedAt?: string;
}

export interface AuditEntry {
  id: number;
  at: string;
  actor: string;
  role: string;
  action: string;
  subject: string;
  detail: Record<string, JsonValue>;
  outcome: 'done' | 'refused' | 'failed';
}

export interface ControlPlaneView {
  id: string;
  host: string;
  pid: number;
  version: string;
  startedAt: string;
  leaseExpiresAt: string;
  self: boolean;
}

export interface Overview {
  targets: TargetView[];
  runs: { running: number; failed24h: number; succeeded24h: number };
  workers: { ready: number; lost: number };
  clones: { running: number };
  openChanges: ChangeView[];
  recentRuns: RunSummary[];
}

export interface RowsPage {
  columns: { name: string; type: string }[];
  items: Record<string, JsonValue>[];
  total: number;
}
