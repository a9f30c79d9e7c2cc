import { mkdir, rm } from 'node:fs/promises';
import { inside, sha256, writeJson } from '../../base/index.js';
import type { ArtifactRef, CommandContext } from '../command.js';

/** Stores a result as a JSON artifact. */
export async function putReport(
  context: CommandContext,
  report: { kind: string; name: string; manifest: Record<string, unknown>; content: unknown },
): Promise<ArtifactRef> {
  const folder = inside(context.root, 'reports', sha256(context.key).slice(0, 20));
  await mkdir(folder, { recursive: true });
  try {
    const file = inside(folder, 'report.json');
    await writeJson(file, report.content);
    return await context.artifacts.put(file, {
      kind: report.kind,
      name: report.name,
      format: 'json',
      manifest: report.manifest,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
