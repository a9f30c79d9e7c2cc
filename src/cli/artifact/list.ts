import { formatBytes } from '../../base/index.js';
import type { ArtifactView } from '../api-types.js';
import { command, flag } from '../command.js';
import { limitOption } from '../limit.js';

interface Options {
  kind?: string;
  run?: string;
  limit: number;
}

export const listCommand = () =>
  command<Options>({
    name: 'list',
    summary: 'the artifacts, newest first',
    example: 'otto artifact list --kind replay',
    options: [
      flag('--kind <kind>', 'only of this kind, such as workload'),
      flag('--run <run>', 'only of this run'),
      limitOption(),
    ],
    api: true,
    async run({ options, out, api }) {
      const { kind, run, limit } = options;
      const artifacts = await (await api()).list<ArtifactView>('/artifacts', { kind, run }, limit);
      out.result(artifacts, () =>
        out.table(
          ['artifact', 'kind', 'name', 'rows', 'size', 'run', 'created'],
          artifacts.map((artifact) => [
            artifact.id,
            artifact.kind,
            artifact.name,
            artifact.rows,
            formatBytes(artifact.bytes),
            artifact.runId && `${artifact.runId}/${artifact.command ?? ''}`,
            artifact.createdAt,
          ]),
        ),
      );
    },
  });
