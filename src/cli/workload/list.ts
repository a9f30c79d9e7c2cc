import { formatBytes } from '../../base/index.js';
import type { ArtifactView } from '../api-types.js';
import { command } from '../command.js';
import { limitOption } from '../limit.js';

export const listCommand = () =>
  command<{ limit: number }>({
    name: 'list',
    summary: 'the captures, newest first',
    example: 'otto workload list',
    options: [limitOption()],
    api: true,
    async run({ options, out, api }) {
      const captures = await (await api()).list<ArtifactView>('/captures', {}, options.limit);
      out.result(captures, () =>
        out.table(
          ['capture', 'events', 'size', 'run', 'created'],
          captures.map((capture) => [
            capture.id,
            capture.rows,
            formatBytes(capture.bytes),
            capture.runId,
            capture.createdAt,
          ]),
        ),
      );
    },
  });
