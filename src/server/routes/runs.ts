import { z } from 'zod';
import type { Control } from '../../control/index.js';
import { type Api, actorOf, answers, answersText } from '../api.js';
import { idParams, jsonObject, listOf, pageQuery } from '../schemas/common.js';
import { eventView, runDetail, runState, runSummary, submitBody } from '../schemas/run.js';
import type { RunStreams } from '../stream/run-stream.js';
import { readEvents } from '../views/events.js';
import { listRuns, readRun } from '../views/runs.js';

const tags = ['runs'];

export function runRoutes(app: Api, control: Control, streams: RunStreams): void {
  app.get(
    '/runs',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Runs, newest first',
        querystring: z.object({
          ...pageQuery,
          state: runState.optional(),
          target: z.string().max(100).optional().describe('Id or name'),
          q: z.string().max(200).optional().describe('Part of the name or id'),
        }),
        response: answers(200, listOf(runSummary)),
      },
    },
    async (request) => await listRuns(control.db, request.query),
  );

  app.post(
    '/runs',
    {
      config: { role: 'operator', audit: { action: 'run.submit', detail: ({ target }) => ({ target }) } },
      schema: {
        tags,
        summary: 'Start a run of a DAG',
        body: submitBody,
        response: answers(201, runDetail),
      },
    },
    async (request, reply) => {
      const id = await control.runs.submit(request.body, actorOf(request));
      request.auditSubject = id;
      reply.code(201);
      return await readRun(control.db, id);
    },
  );

  app.get(
    '/runs/:id',
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'One run', params: idParams, response: answers(200, runDetail) },
    },
    async (request) => await readRun(control.db, request.params.id),
  );

  app.post(
    '/runs/:id/cancel',
    {
      config: { role: 'operator', audit: { action: 'run.cancel' } },
      schema: {
        tags,
        summary: 'Cancel a run; its clean-up commands still run',
        params: idParams,
        response: answers(200, runDetail),
      },
    },
    async (request) => {
      await control.runs.cancel(request.params.id, actorOf(request));
      return await readRun(control.db, request.params.id);
    },
  );

  app.post(
    '/runs/:id/resume',
    {
      config: { role: 'operator', audit: { action: 'run.resume' } },
      schema: {
        tags,
        summary: 'Go on from the commands that failed',
        params: idParams,
        response: answers(200, runDetail),
      },
    },
    async (request) => {
      await control.runs.resume(request.params.id, actorOf(request));
      return await readRun(control.db, request.params.id);
    },
  );

  app.post(
    '/runs/:id/rerun',
    {
      config: { role: 'operator', audit: { action: 'run.rerun' } },
      schema: {
        tags,
        summary: 'A new run of the same DAG',
        params: idParams,
        body: z.strictObject({ parameters: jsonObject.optional() }).nullish(),
        response: answers(201, runDetail),
      },
    },
    async (request, reply) => {
      const id = await control.runs.rerun(request.params.id, request.body ?? {}, actorOf(request));
      reply.code(201);
      return await readRun(control.db, id);
    },
  );

  app.get(
    '/runs/:id/events',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'The log of a run, oldest first',
        params: idParams,
        querystring: z.object({
          after: z.coerce.number().int().min(0).default(0).describe('Id of the last event known'),
          limit: z.coerce.number().int().min(1).max(1000).default(200),
        }),
        response: answers(200, listOf(eventView)),
      },
    },
    async (request) => await readEvents(control.db, request.params.id, request.query),
  );

  app.get(
    '/runs/:id/stream',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'The log and state of a run as they happen (server-sent events: event, state)',
        response: answersText('text/event-stream', 'Server-sent events'),
        params: idParams,
        headers: z.object({ 'last-event-id': z.string().max(4000).optional() }),
        querystring: z.object({ after: z.coerce.number().int().min(0).optional() }),
      },
    },
    async (request, reply) => {
      const { 'last-event-id': lastEventId } = request.headers;
      await streams.open(request, reply, {
        runId: request.params.id,
        resume: lastEventId ?? (request.query.after === undefined ? undefined : String(request.query.after)),
      });
    },
  );
}
