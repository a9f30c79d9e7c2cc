import type { components } from './schema.js';

/**
 * The shapes of the HTTP API, /api/v1, as the server declares them. Times are ISO-8601 UTC, durations ms, sizes bytes.
 * `schema.ts` is generated; here each shape gets a short name, and what is any JSON there is JSON here.
 */
type Schemas = components['schemas'];

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

type Readable<T> = unknown extends T
  ? JsonValue
  : T extends (infer Item)[]
    ? Readable<Item>[]
    : T extends object
      ? { [Key in keyof T]: Readable<T[Key]> }
      : T;

type Shape<Name extends keyof Schemas> = Readable<Schemas[Name]>;

export interface Page<T> {
  items: T[];
  next?: string;
}

export type Issue = Shape<'Issue'>;
export type ErrorJson = Shape<'ErrorJson'>;
export type Session = Shape<'SessionView'>;
export type Address = Shape<'Address'>;
export type TargetHealth = Shape<'TargetHealth'>;
export type TargetView = Shape<'TargetView'>;
export type ChangeView = Shape<'ChangeView'>;
export type ArtifactView = Shape<'ArtifactView'>;
export type ArtifactDetail = Shape<'ArtifactDetail'>;
export type TemplateView = Shape<'TemplateView'>;
export type WorkloadSeries = Shape<'WorkloadSeries'>;
export type WorkloadView = Shape<'TargetWorkload'>;
export type CaptureView = Shape<'CaptureDetail'>;
export type SettingView = Shape<'SettingView'>;
export type Dag = Shape<'Dag'>;
export type Validation = Shape<'DagValidation'>;
export type Progress = Shape<'Progress'>;
export type RunSummary = Shape<'RunSummary'>;
export type RunDetail = Shape<'RunDetail'>;
export type CommandView = Shape<'CommandView'>;
export type EventView = Shape<'EventView'>;
export type CloneView = Shape<'CloneView'>;
export type WorkerView = Shape<'WorkerView'>;
export type ScheduleView = Shape<'ScheduleView'>;
export type TokenView = Shape<'TokenView'>;
export type IssuedToken = Shape<'IssuedToken'>;
export type AuditEntry = Shape<'AuditView'>;
export type ControlPlaneView = Shape<'ControlPlaneView'>;
export type Overview = Shape<'Overview'>;
export type RowsPage = Shape<'ArtifactRows'>;

/** What the stream of a run sends on each change; a stream's messages are not part of the generated types. */
export interface RunStateEvent {
  id: string;
  state: RunState;
  commands: Pick<
    CommandView,
    'name' | 'state' | 'attempt' | 'progress' | 'startedAt' | 'endedAt' | 'error' | 'reason'
  >[];
}

export type Role = Session['role'];
export type RunState = RunDetail['state'];
export type CommandState = CommandView['state'];
export type AttemptView = CommandView['attempts'][number];
export type DagParameter = Dag['parameters'][number];
export type EventLevel = EventView['level'];

/** A schema, whose own type says no more than that it is an object, as the reference reads it. */
type WithSchemas<T, Keys extends keyof T> = Omit<T, Keys> & { [Key in Keys]: JsonSchema };

export type CommandTypeView = WithSchemas<Shape<'CommandTypeView'>, 'configSchema' | 'outputSchema'>;
export type CollectorView = WithSchemas<Shape<'CollectorView'>, 'configSchema'>;

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
