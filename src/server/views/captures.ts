import type { z } from 'zod';
import { InputError } from '../../base/index.js';
import type { Control } from '../../control/index.js';
import { type CaptureSummary, summariseCapture } from '../../workload/index.js';
import type { captureDetail } from '../schemas/artifact.js';
import type { targetWorkload } from '../schemas/target.js';
import { findArtifact, listArtifacts, viewArtifact } from './artifacts.js';

/** A capture never changes: what was once worked out of it holds. Newest use last. */
const summaries = new Map<string, Promise<CaptureSummary>>();
const summariesKept = 16;

export async function readCapture(control: Control, id: string): Promise<z.infer<typeof captureDetail>> {
  const row = await findArtifact(control.db, id);
  if (row.kind !== 'workload') {
    throw new InputError(`artifact ${id} is of kind ${row.kind}, not a captured workload`);
  }
  const { path } = await control.artifacts.open(id);
  const { templates, series } = await summarise(row.sha256, path);
  return { artifact: viewArtifact(row), templates, series, manifest: row.manifest };
}

/** The captures of a target, with the summary of the given one or else of the latest. */
export async function readTargetWorkload(
  control: Control,
  targetId: string,
  captureId?: string,
): Promise<z.infer<typeof targetWorkload>> {
  const { items: captures } = await listArtifacts(control.db, {
    kind: 'workload',
    target: targetId,
    limit: 100,
  });
  const chosen = captureId ?? captures[0]?.id;
  if (chosen === undefined) return { captures };
  const { artifact, templates, series } = await readCapture(control, chosen);
  if (artifact.targetId !== targetId) throw new InputError(`capture ${chosen} is not of target ${targetId}`);
  return { captures, latest: { artifactId: chosen, templates, series } };
}

async function summarise(sha256: string, path: string): Promise<CaptureSummary> {
  const known = summaries.get(sha256);
  const summary = known ?? summariseCapture(path);
  summaries.delete(sha256);
  summaries.set(sha256, summary);
  if (!known) summary.catch(() => summaries.delete(sha256));
  for (const oldest of [...summaries.keys()].slice(0, -summariesKept)) summaries.delete(oldest);
  return await summary;
}
