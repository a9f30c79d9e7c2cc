import type { TokenView } from '../api-types.js';
import { command } from '../command.js';
import { limitOption } from '../limit.js';

export const listCommand = () =>
  command<{ limit: number }>({
    name: 'list',
    summary: 'the tokens, without their secrets',
    example: 'otto token list',
    options: [limitOption()],
    api: true,
    async run({ options, out, api }) {
      const tokens = await (await api()).list<TokenView>('/tokens', {}, options.limit);
      out.result(tokens, () =>
        out.table(
          ['token', 'name', 'role', 'created', 'by', 'last used', 'expires', 'revoked'],
          tokens.map((token) => [
            token.id,
            token.name,
            token.role,
            token.createdAt,
            token.createdBy,
            token.lastUsedAt,
            token.expiresAt,
            token.revokedAt,
          ]),
        ),
      );
    },
  });
