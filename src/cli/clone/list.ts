import { formatBytes } from '../../base/index.js';
import type { CloneView } from '../api-types.js';
import { command } from '../command.js';
import { limitOption } from '../limit.js';

export const listCommand = () =>
  command<{ limit: number }>({
    name: 'list',
    summary: 'the copies, newest first',
    example: 'otto clone list',
    options: [limitOption()],
    api: true,
    async run({ options, out, api }) {
      const clones = await (await api()).list<CloneView>('/clones', {}, options.limit);
      out.result(clones, () =>
        out.table(
          ['clone', 'state', 'method', 'address', 'version', 'size', 'run', 'expires', 'note'],
          clones.map((clone) => [
            clone.id,
            clone.state,
            clone.method,
            clone.connection &&
              `${clone.connection.host}:${clone.connection.port}/${clone.connection.database}`,
            clone.version,
            clone.bytes === undefined ? '' : formatBytes(clone.bytes),
            clone.runId && `${clone.runId}/${clone.command}`,
            clone.expiresAt,
            clone.note,
          ]),
        ),
      );
    },
  });
