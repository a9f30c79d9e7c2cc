import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { targetsQuery } from '../api/queries.js';
import { Id, None } from './values.js';

/** A target by its name, once the list of targets is known. */
export function TargetLink({ id }: { id: string | undefined }) {
  const targets = useQuery(targetsQuery());
  if (!id) return <None />;
  const target = targets.data?.items.find((one) => one.id === id);
  return target ? <Link to={`/targets/${id}`}>{target.name}</Link> : <Id id={id} />;
}

/** The command of a run that made or changed something. */
export function OriginLink({ runId, command }: { runId: string | undefined; command?: string | undefined }) {
  if (!runId) return <None />;
  const search = command ? `?command=${encodeURIComponent(command)}` : '';
  return command ? (
    <Link to={`/runs/${runId}${search}`}>{command}</Link>
  ) : (
    <Id id={runId} to={`/runs/${runId}`} />
  );
}

/** The choices of a target filter, and of forms. */
export function useTargetOptions(first: string): (readonly [string, string])[] {
  const targets = useQuery(targetsQuery());
  return [['', first], ...(targets.data?.items ?? []).map((target) => [target.id, target.name] as const)];
}
