import type { TokenView } from '../api-types.js';
import { command } from '../command.js';
import { findByName } from '../find.js';

export const revokeCommand = () =>
  command({
    name: 'revoke',
    summary: 'end a token at once',
    example: 'otto token revoke ci',
    args: [['<token>', 'id or name']],
    api: true,
    async run({ args, out, api }) {
      const client = await api();
      const isOver = ({ revokedAt }: TokenView) => revokedAt !== undefined;
      const { id, name } = await findByName<TokenView>(client, '/tokens', args[0]!, 'token', isOver);
      await client.delete(`/tokens/${encodeURIComponent(id)}`);
      out.result({ revoked: true, id, name }, () => out.line(`${name} is revoked`));
    },
  });
