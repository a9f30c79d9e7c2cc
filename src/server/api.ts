import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Actor } from '../control/index.js';
import type { Role } from '../store/index.js';
import { errorBody } from './schemas/common.js';

/** The least role that may call a route; `none`: no token needed. */
export type RouteRole = Exclude<Role, 'worker'> | 'none';

export interface AuditRule {
  /** `noun.verb`, such as `target.add`. */
  action: string;
  /** What of the request's body is worth keeping. Never a secret. */
  detail?: (body: Record<string, unknown>) => Record<string, unknown>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    role?: RouteRole;
    audit?: AuditRule;
  }
  interface FastifyRequest {
    /** Set by authentication; absent only on routes of role `none`. */
    actor?: Actor;
    /** How the actor proved itself. */
    proof?: 'token' | 'cookie' | 'open';
    /** What an audited call was about, where the path does not say it. */
    auditSubject?: string;
  }
}

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** The response schemas of a route: its answer, and the one shape of all errors. */
export function answers<Status extends 200 | 201, T extends z.ZodType>(status: Status, schema: T) {
  return { [status]: schema, '4xx': errorBody, '5xx': errorBody } as Record<Status, T> & {
    '4xx': typeof errorBody;
    '5xx': typeof errorBody;
  };
}

/** The response schemas of a route that answers with something else than JSON. */
export function answersText(contentType: string, description: string) {
  return {
    200: { description, content: { [contentType]: { schema: z.string() } } },
    '4xx': errorBody,
    '5xx': errorBody,
  };
}

/** The authenticated actor. */
export function actorOf(request: FastifyRequest): Actor {
  if (!request.actor) throw new Error(`${request.url} is served without authentication`);
  return request.actor;
}
