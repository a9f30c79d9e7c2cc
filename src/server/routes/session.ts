import { z } from 'zod';
import { OttoError } from '../../base/index.js';
import { type Api, actorOf, answers } from '../api.js';
import type { Authentication } from '../authentication.js';
import { sessionView } from '../schemas/admin.js';

export function sessionRoutes(app: Api, authentication: Authentication, sessionsPerMinute: number): void {
  app.get(
    '/session',
    {
      config: { role: 'viewer' },
      schema: { tags: ['session'], summary: 'Who am I', response: answers(200, sessionView) },
    },
    async (request) => authentication.session(actorOf(request)),
  );

  app.post(
    '/session',
    {
      config: {
        role: 'none',
        audit: { action: 'session.open' },
        rateLimit: {
          max: sessionsPerMinute,
          timeWindow: 60_000,
          keyGenerator: (request) => `session ${request.ip}`,
        },
      },
      schema: {
        tags: ['session'],
        summary: 'Open a browser session with a token: sets the cookie otto_session',
        body: z.strictObject({ token: z.string().min(1).max(200) }),
        response: answers(200, sessionView),
      },
    },
    async (request, reply) => {
      const actor = await authentication.openSession(request.body.token, request, reply);
      if (!actor)
        throw new OttoError('UNAUTHENTICATED', 'the token is not known, has expired or was revoked');
      return authentication.session(actor);
    },
  );

  app.delete(
    '/session',
    {
      config: { role: 'viewer', audit: { action: 'session.close' } },
      schema: {
        tags: ['session'],
        summary: 'Forget the session cookie',
        response: answers(200, z.object({ closed: z.boolean() })),
      },
    },
    async (_request, reply) => {
      authentication.closeSession(reply);
      return { closed: true };
    },
  );
}
