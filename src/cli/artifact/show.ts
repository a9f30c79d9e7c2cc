import { formatBytes } from '../../base/index.js';
import type { ArtifactView } from '../api-types.js';
import { command } from '../command.js';

export const showCommand = () =>
  command({
    name: 'show',
    summary: 'an artifact and its manifest',
    example: 'otto artifact show art_01kb2v…',
    args: [['<artifact>', 'id of the artifact']],
    api: true,
    async run({ args, out, api }) {
      const path = `/artifacts/${encodeURIComponent(args[0]!)}`;
      const artifact = await (await api()).get<ArtifactView & { manifest: unknown }>(path);
      out.result(artifact, () => {
        out.facts([
          ['artifact', artifact.id],
          ['kind', artifact.kind],
          ['name', artifact.name],
          ['size', formatBytes(artifact.bytes)],
          ['rows', artifact.rows],
          ['sha256', artifact.sha256],
          ['run', artifact.runId && `${artifact.runId}/${artifact.command ?? ''}`],
          ['created', artifact.createdAt],
          ['expires', artifact.expiresAt],
        ]);
        out.line(`\n${JSON.stringify(artifact.manifest, null, 2)}`);
      });
    },
  });
