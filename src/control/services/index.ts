export { Audit } from './audit.js';
export { type NewSchedule, Schedules } from './schedules.js';
export { type ReplicaHealth, readHealth, type TargetHealth } from './target-health.js';
export { publicName } from './target-name.js';
export { type NewTarget, Targets } from './targets.js';
export { Tokens } from './tokens.js';
export type {
  Actor,
  CollectorInfo,
  Control,
  DagIssue,
  Fleet,
  RunService,
  SubmitRequest,
} from './types.js';
