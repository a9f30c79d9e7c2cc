import { once } from 'node:events';
import type { FastifyBaseLogger } from 'fastify';
import { sql } from 'kysely';
import type { Control } from '../../control/index.js';
import { type Api, answers, answersText } from '../api.js';
import type { Metrics } from '../metrics.js';
import { healthView, overview } from '../schemas/admin.js';
import { jsonObject } from '../schemas/common.js';
import type { HintStreams } from '../stream/hint-stream.js';
import { readOverview } from '../views/overview.js';

const tags = ['system'];
const healthMs = 3_000;

export function systemRoutes(app: Api, control: Control, metrics: Metrics, hints: HintStreams): void {
  app.get(
    '/health',
    {
      config: { role: 'none' },
      schema: { tags, summary: 'Is it up', response: answers(200, healthView) },
    },
    async (request) => {
      const up = await isUp(control, request.log);
      return {
        status: up ? ('ok' as const) : ('degraded' as const),
        version: control.version,
        database: up ? ('up' as const) : ('down' as const),
      };
    },
  );

  app.get(
    '/metrics',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'For Prometheus',
        response: answersText('text/plain', 'Exposition format 0.0.4'),
      },
    },
    async (_request, reply) => {
      reply.type('text/plain; version=0.0.4; charset=utf-8');
      return await metrics.expose();
    },
  );

  app.get(
    '/overview',
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'What the first page shows', response: answers(200, overview) },
    },
    async () => await readOverview(control),
  );

  app.get(
    '/stream',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Hints that a list has changed (server-sent events: fleet, run)',
        response: answersText('text/event-stream', 'Server-sent events'),
      },
    },
    async (request, reply) => {
      await hints.open(request, reply);
    },
  );

  app.get(
    '/openapi.json',
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'This API, as OpenAPI 3.1', response: answers(200, jsonObject) },
    },
    async () => app.swagger() as unknown as Record<string, unknown>,
  );
}

/** Whether the database answers, and soon: who asks for health has no patience. */
async function isUp(control: Control, log: FastifyBaseLogger): Promise<boolean> {
  const late = AbortSignal.timeout(healthMs);
  const silence = once(late, 'abort').then(() => Promise.reject(new Error(`no answer in ${healthMs} ms`)));
  try {
    await Promise.race([sql`select 1`.execute(control.db), silence]);
    return true;
  } catch (error) {
    log.warn({ err: error }, 'the database is away');
    return false;
  } finally {
    silence.catch(() => {});
  }
}
