export type {
  ArtifactDraft,
  ArtifactRef,
  Artifacts,
  ChangeJournal,
  CloneAccess,
  CloneRegistry,
  CommandContext,
  OpenChange,
  TargetAccess,
  WorkerCommand,
} from './command.js';
