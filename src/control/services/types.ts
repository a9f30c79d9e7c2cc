import type { ConnectRouter } from '@connectrpc/connect';
import type pg from 'pg';
import type { z } from 'zod';
import type { Issue, Logger } from '../../base/index.js';
import type { CommandTypes, Dag } from '../../dag/index.js';
import type { ArtifactStore, Database, Listener, Role, SecretBox } from '../../store/index.js';
import type { Audit } from './audit.js';
import type { Schedules } from './schedules.js';
import type { Targets } from './targets.js';
import type { Tokens } from './tokens.js';

/** Who does something: the name of a token, a schedule, or a part of the program itself. */
export interface Actor {
  name: string;
  role: Role;
}

/** A finding in a DAG document, with the line where it was written in YAML or JSON text. */
export type DagIssue = Issue & { line?: number };

export interface SubmitRequest {
  /** JSON or YAML text, or the parsed document. */
  document: unknown;
  parameters?: Record<string, unknown>;
  /** Id or name. */
  target?: string;
  scheduleId?: string;
}

/** Runs of DAGs. Every method rejects with an InputError (what was wrong) or with RUN_NOT_FOUND / RUN_STATE. */
export interface RunService {
  /** Never throws: `dag` is there if and only if there are no issues. */
  validate(
    document: unknown,
    options?: { parameters?: Record<string, unknown>; target?: string },
  ): { dag?: Dag; issues: DagIssue[] };
  /** Stores the run and starts it; resolves with its id. */
  submit(request: SubmitRequest, actor: Actor): Promise<string>;
  cancel(id: string, actor: Actor): Promise<void>;
  /** From the commands that failed; what succeeded is not done again. */
  resume(id: string, actor: Actor): Promise<void>;
  /** A new run of the same document; resolves with its id. */
  rerun(id: string, options: { parameters?: Record<string, unknown> }, actor: Actor): Promise<string>;
}

/** Workers, clones and the journal of open setting changes. */
export interface Fleet {
  drain(workerId: string, actor: Actor): Promise<void>;
  stop(workerId: string, actor: Actor): Promise<void>;
  stopClone(cloneId: string, actor: Actor): Promise<void>;
  /** Puts back every setting of the target whose change is still open. */
  restoreChanges(targetId: string, actor: Actor): Promise<void>;
}

/** A data collector as the catalogue of collectors shows it. */
export interface CollectorInfo {
  readonly type: string;
  readonly summary: string;
  readonly config: z.ZodType;
}

/** What the HTTP server needs of a control plane. */
export interface Control {
  readonly id: string;
  readonly version: string;
  readonly db: Database;
  readonly pool: pg.Pool;
  readonly listener: Pick<Listener, 'on'>;
  readonly logger: Logger;
  /** The box that connection strings are sealed with; the server derives the key of its session cookies from it. */
  readonly secrets: SecretBox;
  readonly commandTypes: CommandTypes;
  readonly collectors: readonly CollectorInfo[];
  readonly runs: RunService;
  readonly fleet: Fleet;
  readonly targets: Targets;
  readonly tokens: Tokens;
  readonly audit: Audit;
  readonly schedules: Schedules;
  readonly artifacts: ArtifactStore;
  /** The worker service, served on a listener of its own (HTTP/2). */
  workerRoutes(router: ConnectRouter): void;
}
