import type { TokenView } from '../api-types.js';
import { command, flag } from '../command.js';
import { positiveNumber } from '../limit.js';

interface Options {
  role: string;
  expires?: number;
}

export const createCommand = () =>
  command<Options>({
    name: 'create',
    summary: 'make a token; it is shown this once',
    example: 'otto token create ci --role operator --expires 90 > ci.token',
    args: [['<name>', 'whose it is']],
    options: [
      flag('--role <role>', 'what it may do', 'OTTO_TOKEN_ROLE')
        .choices(['viewer', 'operator', 'admin', 'worker'])
        .default('viewer'),
      flag('--expires <days>', 'valid so long; absent: until revoked', 'OTTO_TOKEN_EXPIRES').argParser(
        positiveNumber,
      ),
    ],
    api: true,
    async run({ options, args, out, api }) {
      const { role, expires } = options;
      const token = await (await api()).post<TokenView & { token: string }>('/tokens', {
        name: args[0],
        role,
        ...(expires !== undefined && { expiresInDays: expires }),
      });
      // Alone on stdout, so that it can be sent into a file.
      out.result(token, () => {
        out.line(token.token);
        out.note(`${token.role} token "${token.name}" (${token.id}); it is not shown again`);
      });
    },
  });
