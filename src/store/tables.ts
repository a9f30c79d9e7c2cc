import type { ColumnType, Generated, Selectable } from 'kysely';
import type { ErrorJson, Progress } from '../base/index.js';

/**
 * The control plane's tables as types: one interface a table of migrations/, read by Kysely. JSON columns are read
 * as values; they are written as JSON text by `json()` (see database.ts).
 */
type Json<T> = ColumnType<T, string | null, string | null>;
type NullableJson<T> = ColumnType<T | null, string | null | undefined, string | null>;
type Time = ColumnType<Date, Date | undefined, Date>;
type NullableTime = ColumnType<Date | null, Date | null | undefined, Date | null>;
/** bigint, parsed to a number: no size here exceeds 2^53. */
type Big = ColumnType<number | null, number | null | undefined, number | null>;

export type RunState = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT';
export type CommandState =
  | 'PENDING'
  | 'READY'
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'SKIPPED'
  | 'CANCELLED'
  | 'TIMED_OUT';
export type AttemptState =
  | 'ASSIGNED'
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'CANCELLED'
  | 'TIMED_OUT'
  | 'LOST';
export type WorkerKind = 'primary' | 'exploratory';
export type WorkerState = 'STARTING' | 'READY' | 'DRAINING' | 'LOST' | 'STOPPED';
export type CloneState = 'STARTING' | 'READY' | 'STOPPING' | 'STOPPED' | 'LOST';
export type ChangeState = 'INTENDED' | 'RESTORED' | 'KEPT_THEIRS';
export type Role = 'viewer' | 'operator' | 'admin' | 'worker';

/** What may be shown of a connection string. */
export interface Address {
  host: string;
  port: number;
  database: string;
  user: string;
}

export interface TargetsTable {
  id: string;
  name: string;
  url_secret: string;
  replica_url_secret: string | null;
  address: Json<Address>;
  replica_address: NullableJson<Address>;
  production: Generated<boolean>;
  state: Generated<'UNKNOWN' | 'HEALTHY' | 'UNHEALTHY'>;
  health: NullableJson<Record<string, unknown>>;
  checked_at: NullableTime;
  created_at: Time;
  removed_at: NullableTime;
}

export interface TokensTable {
  id: string;
  name: string;
  role: Role;
  hash: string;
  created_by: string;
  created_at: Time;
  expires_at: NullableTime;
  last_used_at: NullableTime;
  revoked_at: NullableTime;
}

export interface ControlPlanesTable {
  id: string;
  host: string;
  pid: number;
  version: string;
  address: Json<Record<string, unknown>>;
  started_at: Time;
  lease_expires_at: ColumnType<Date, Date, Date>;
  stopped_at: NullableTime;
}

export interface SchedulesTable {
  id: string;
  name: string;
  cron: string;
  time_zone: Generated<string>;
  document: Json<unknown>;
  parameters: Json<Record<string, unknown>>;
  target_id: string | null;
  overlap: Generated<'skip' | 'allow'>;
  enabled: Generated<boolean>;
  next_at: NullableTime;
  last_at: NullableTime;
  last_run_id: string | null;
  last_note: string | null;
  created_by: string;
  created_at: Time;
}

export interface RunsTable {
  id: string;
  name: string;
  /** The normal form: `Dag` of dag/format.ts. */
  dag: Json<unknown>;
  document: Json<unknown>;
  parameters: Json<Record<string, unknown>>;
  target_id: string | null;
  state: Generated<RunState>;
  generation: Generated<number>;
  epoch: Generated<number>;
  owner: string | null;
  cancel_requested_at: NullableTime;
  cancel_requested_by: string | null;
  error: NullableJson<ErrorJson>;
  rerun_of: string | null;
  schedule_id: string | null;
  created_by: string;
  created_at: Time;
  started_at: NullableTime;
  ended_at: NullableTime;
  deadline_at: NullableTime;
}

export interface CommandsTable {
  run_id: string;
  name: string;
  ordinal: number;
  type: string;
  parents: string[];
  cleanup: Generated<boolean>;
  state: Generated<CommandState>;
  attempt: Generated<number>;
  attempts_before: Generated<number>;
  losses: Generated<number>;
  not_before: NullableTime;
  deadline_at: NullableTime;
  input: NullableJson<unknown>;
  output: NullableJson<unknown>;
  error: NullableJson<ErrorJson>;
  reason: string | null;
  progress: NullableJson<Progress>;
  worker_id: string | null;
  ready_at: NullableTime;
  started_at: NullableTime;
  ended_at: NullableTime;
}

export interface AttemptsTable {
  id: string;
  run_id: string;
  command: string;
  number: number;
  worker_id: string | null;
  lease_epoch: number | null;
  state: Generated<AttemptState>;
  input: Json<unknown>;
  output: NullableJson<unknown>;
  error: NullableJson<ErrorJson>;
  cancel_requested_at: NullableTime;
  deadline_at: NullableTime;
  created_at: Time;
  started_at: NullableTime;
  ended_at: NullableTime;
}

export interface EventsTable {
  id: Generated<number>;
  run_id: string;
  at: Time;
  kind: 'run' | 'command' | 'log' | 'progress';
  command: string | null;
  level: Generated<'debug' | 'info' | 'warn' | 'error'>;
  message: string;
  data: NullableJson<unknown>;
}

export interface ConcurrencyLocksTable {
  key: string;
  run_id: string;
  command: string;
  acquired_at: Time;
}

/** What a worker says of itself when it attaches. */
export interface WorkerInfo {
  host?: string;
  pid?: number;
  version?: string;
  root?: string;
  freeBytes?: number;
  cores?: number;
  memoryBytes?: number;
  region?: string;
  /** Postgres installations found: major version and the folder of the binaries. */
  postgres?: { major: number; bin: string }[];
  allowCommand?: boolean;
}

export interface WorkersTable {
  id: string;
  kind: WorkerKind;
  name: string;
  how: 'local' | 'ssh' | 'manual';
  target_id: string | null;
  state: Generated<WorkerState>;
  launch_key: string | null;
  run_id: string | null;
  token_id: string | null;
  lease_epoch: Generated<number>;
  lease_expires_at: NullableTime;
  control_plane_id: string | null;
  info: Json<WorkerInfo>;
  launch: Json<Record<string, unknown>>;
  note: string | null;
  created_at: Time;
  attached_at: NullableTime;
  stopped_at: NullableTime;
}

/** Where a clone listens; a socket folder wherever the system has Unix sockets. */
export interface CloneConnection {
  host: string;
  port: number;
  socketDirectory?: string;
  user: string;
  database: string;
}

export interface ClonesTable {
  id: string;
  run_id: string | null;
  command: string | null;
  worker_id: string;
  target_id: string | null;
  method: string | null;
  source: string | null;
  state: Generated<CloneState>;
  keep: Generated<boolean>;
  connection: NullableJson<CloneConnection>;
  version: string | null;
  lsn: string | null;
  bytes: Big;
  seconds: number | null;
  limits: Json<Record<string, unknown>>;
  expires_at: NullableTime;
  note: string | null;
  created_at: Time;
  stopped_at: NullableTime;
}

/** A setting as it stood before us. */
export interface SettingBefore {
  /** The value of its line in postgresql.auto.conf; null when there was none. */
  autoConf: string | null;
  /** The effective value and where it came from (pg_settings.source). */
  value: string;
  source: string;
}

export interface ChangesTable {
  id: string;
  target_id: string;
  server: 'primary' | 'replica';
  setting: string;
  before: Json<SettingBefore>;
  ours: string;
  state: Generated<ChangeState>;
  reason: string;
  run_id: string | null;
  command: string | null;
  worker_id: string | null;
  note: string | null;
  created_at: Time;
  resolved_at: NullableTime;
}

export interface ArtifactsTable {
  id: string;
  kind: string;
  name: string;
  format: string;
  bytes: ColumnType<number, number, number>;
  rows: Big;
  sha256: string;
  location: string;
  manifest: Json<Record<string, unknown>>;
  target_id: string | null;
  run_id: string | null;
  command: string | null;
  created_at: Time;
  expires_at: NullableTime;
  deleted_at: NullableTime;
}

export interface AuditTable {
  id: Generated<number>;
  at: Time;
  actor: string;
  role: string;
  action: string;
  subject: string;
  detail: Json<Record<string, unknown>>;
  outcome: Generated<'done' | 'refused' | 'failed'>;
}

export interface Tables {
  targets: TargetsTable;
  tokens: TokensTable;
  control_planes: ControlPlanesTable;
  schedules: SchedulesTable;
  runs: RunsTable;
  commands: CommandsTable;
  attempts: AttemptsTable;
  events: EventsTable;
  concurrency_locks: ConcurrencyLocksTable;
  workers: WorkersTable;
  clones: ClonesTable;
  changes: ChangesTable;
  artifacts: ArtifactsTable;
  audit: AuditTable;
}

export type TargetRow = Selectable<TargetsTable>;
export type TokenRow = Selectable<TokensTable>;
export type ScheduleRow = Selectable<SchedulesTable>;
export type RunRow = Selectable<RunsTable>;
export type CommandRow = Selectable<CommandsTable>;
export type AttemptRow = Selectable<AttemptsTable>;
export type EventRow = Selectable<EventsTable>;
export type WorkerRow = Selectable<WorkersTable>;
export type CloneRow = Selectable<ClonesTable>;
export type ChangeRow = Selectable<ChangesTable>;
export type ArtifactRow = Selectable<ArtifactsTable>;
export type AuditRow = Selectable<AuditTable>;
