import { type ErrorJson, OttoError, zodIssues } from '../../base/index.js';
import type { AttemptRow } from '../../store/index.js';
import type { CommandType } from '../command-type.js';
import type { DagCommand } from '../dag.js';
import type { AttemptOutcome } from '../plan.js';

/** The config that an attempt is given: resolved, and of its type. */
export function parseConfig(type: CommandType, spec: DagCommand, value: unknown): unknown {
  const parsed = type.config.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = zodIssues(parsed.error, 'config');
  const words = issues.map((issue) => `${issue.path}: ${issue.message}`).join('; ');
  throw new OttoError('BAD_CONFIG', `${spec.name}: ${words}`, { issues });
}

/** How an attempt ended. One that succeeded with an output that is not of its type has failed. */
export function outcomeOf(
  attempt: AttemptRow,
  type: CommandType | undefined,
): { state: AttemptOutcome; error: ErrorJson | null } {
  const { error } = attempt;
  const state = attempt.state as AttemptOutcome;
  const output = state === 'SUCCEEDED' ? type?.output.safeParse(attempt.output) : undefined;
  if (output === undefined || output.success) return { state, error };
  const message = `${type!.type} returned an output that is not of its type`;
  return { state: 'FAILED', error: { code: 'BAD_OUTPUT', message, issues: zodIssues(output.error) } };
}

export function lost(spec: DagCommand): ErrorJson {
  return { code: 'WORKER_LOST', message: `the worker was lost while it carried out ${spec.name}` };
}
