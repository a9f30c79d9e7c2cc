import { z } from 'zod';
import type { Control } from '../../control/index.js';
import { type Api, actorOf, answers } from '../api.js';
import { auditView, issuedToken, newToken, tokenView } from '../schemas/admin.js';
import { idParams, listOf, pageQuery } from '../schemas/common.js';
import { viewAudit, viewToken } from '../views/admin.js';
import { numericCursor, pageOf } from '../views/page.js';

export function adminRoutes(app: Api, control: Control): void {
  app.get(
    '/tokens',
    {
      config: { role: 'admin' },
      schema: { tags: ['tokens'], summary: 'All tokens', response: answers(200, listOf(tokenView)) },
    },
    async () => ({ items: (await control.tokens.list()).map(viewToken) }),
  );

  app.post(
    '/tokens',
    {
      config: {
        role: 'admin',
        audit: {
          action: 'token.issue',
          detail: ({ name, role, expiresInDays }) => ({ name, role, expiresInDays }),
        },
      },
      schema: {
        tags: ['tokens'],
        summary: 'Issue a token; it is shown this once',
        body: newToken,
        response: answers(201, issuedToken),
      },
    },
    async (request, reply) => {
      const { name, role, expiresInDays } = request.body;
      const expiresAt =
        expiresInDays === undefined ? undefined : new Date(Date.now() + expiresInDays * 86_400_000);
      const { token, row } = await control.tokens.issue(
        { name, role, ...(expiresAt && { expiresAt }) },
        actorOf(request),
      );
      request.auditSubject = row.id;
      reply.code(201);
      return { ...viewToken(row), token };
    },
  );

  app.delete(
    '/tokens/:id',
    {
      config: { role: 'admin', audit: { action: 'token.revoke' } },
      schema: {
        tags: ['tokens'],
        summary: 'Revoke a token; in force everywhere within five seconds',
        params: idParams,
        response: answers(200, tokenView),
      },
    },
    async (request) => viewToken(await control.tokens.revoke(request.params.id, actorOf(request))),
  );

  app.get(
    '/audit',
    {
      config: { role: 'viewer' },
      schema: {
        tags: ['audit'],
        summary: 'Who did what, newest first',
        querystring: z.object({ ...pageQuery, q: z.string().max(200).optional() }),
        response: answers(200, listOf(auditView)),
      },
    },
    async (request) => {
      const { q, cursor, limit } = request.query;
      const rows = await control.audit.list({
        limit: limit + 1,
        ...(q !== undefined && { text: q }),
        ...(cursor !== undefined && { before: numericCursor(cursor) }),
      });
      return pageOf(rows, limit, viewAudit);
    },
  );
}
