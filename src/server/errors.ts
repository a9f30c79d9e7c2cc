import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { type ErrorJson, InputError, joinPath, newId, OttoError } from '../base/index.js';

const statusOfCode: Record<string, number> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  HOST_NOT_ALLOWED: 403,
  CSRF: 403,
  TOO_MANY_REQUESTS: 429,
  TOO_MANY_STREAMS: 429,
  NAME_TAKEN: 409,
  TARGET_BUSY: 409,
  RUN_STATE: 409,
  CHANGE_OPEN: 409,
  CONFLICT: 409,
  CONNECT_REFUSED: 502,
  AUTH_FAILED: 502,
  NO_SUCH_DATABASE: 502,
  HOST_UNKNOWN: 502,
  SERVER_STARTING: 502,
  TOO_MANY_CONNECTIONS: 502,
  TLS_FAILED: 502,
  CONNECTION_LOST: 502,
  CONNECT_FAILED: 502,
  DATABASE_UNAVAILABLE: 503,
};

/** What node-postgres throws when the control plane's own database is away: connection errors and class 57P. */
function isDatabaseAway(thrown: unknown): boolean {
  const { code, syscall, message } = thrown as { code?: unknown; syscall?: unknown; message?: unknown };
  if (/^57P0[1-3]$/.test(String(code))) return true;
  // A Unix socket that is gone is ENOENT: only of connect, for files have that too.
  if (syscall === 'connect' || /^(ECONNRESET|EPIPE)$/.test(String(code))) return true;
  return /^Connection terminated/.test(String(message));
}

/** The HTTP status of an error: by its code, else 400 for a bad input and 500 for everything else. */
export function statusOf(error: OttoError): number {
  const known = statusOfCode[error.code];
  if (known) return known;
  if (error.code.endsWith('NOT_FOUND') && error.code !== 'POSTGRES_NOT_FOUND') return 404;
  if (error.code.endsWith('_STATE')) return 409;
  return error instanceof InputError ? 400 : 500;
}

/** Any thrown value as status and body. What is not ours tells the client an id to look up in the log, no more. */
export function describeError(
  thrown: unknown,
  request: FastifyRequest,
): { status: number; error: ErrorJson } {
  if (hasZodFastifySchemaValidationErrors(thrown)) return invalid(thrown);
  if (thrown instanceof OttoError) {
    const status = statusOf(thrown);
    if (status >= 500) request.log.error({ err: thrown }, 'request failed');
    return { status, error: thrown.toJSON() };
  }
  const status = (thrown as FastifyError).statusCode;
  if (status !== undefined && status >= 400 && status < 500) {
    const { message } = thrown as FastifyError;
    return { status, error: { code: status === 429 ? 'TOO_MANY_REQUESTS' : 'INVALID_REQUEST', message } };
  }
  if (isDatabaseAway(thrown)) {
    request.log.error({ err: thrown }, 'the database is away');
    return {
      status: 503,
      error: {
        code: 'DATABASE_UNAVAILABLE',
        message: 'the control plane cannot reach its database',
        transient: true,
      },
    };
  }
  const incident = newId('err');
  request.log.error({ err: thrown, incident }, 'unexpected error');
  return {
    status: 500,
    error: {
      code: 'INTERNAL',
      message: `an unexpected error happened (${incident})`,
      hint: `Search the log of the control plane for ${incident}.`,
    },
  };
}

export async function sendError(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { status, error } = describeError(thrown, request);
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="ottopilot"');
  return reply.code(status).type('application/json').serializer(JSON.stringify).send({ error });
}

function invalid(thrown: Parameters<typeof hasZodFastifySchemaValidationErrors>[0]): {
  status: number;
  error: ErrorJson;
} {
  const error = thrown as FastifyError & { validationContext?: string };
  const issues = (error.validation ?? []).map((issue) => ({
    path: joinPath(
      error.validationContext === 'body' ? '' : (error.validationContext ?? ''),
      issue.instancePath.split('/').filter((part) => part !== ''),
    ),
    message: issue.message ?? 'is not valid',
  }));
  const message = issues
    .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
    .join('; ');
  return { status: 400, error: { code: 'INVALID_INPUT', message, issues } };
}
