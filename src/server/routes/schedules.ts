import { z } from 'zod';
import type { Control } from '../../control/index.js';
import { type Api, actorOf, answers } from '../api.js';
import { newSchedule, schedulePatch, scheduleView } from '../schemas/admin.js';
import { idParams, listOf } from '../schemas/common.js';
import { viewSchedule } from '../views/admin.js';

const tags = ['schedules'];

export function scheduleRoutes(app: Api, control: Control): void {
  app.get(
    '/schedules',
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'All schedules', response: answers(200, listOf(scheduleView)) },
    },
    async () => ({ items: (await control.schedules.list()).map(viewSchedule) }),
  );

  app.post(
    '/schedules',
    {
      config: {
        role: 'operator',
        audit: {
          action: 'schedule.add',
          detail: ({ name, cron, timeZone, target }) => ({ name, cron, timeZone, target }),
        },
      },
      schema: {
        tags,
        summary: 'Start a DAG by the clock',
        body: newSchedule,
        response: answers(201, scheduleView),
      },
    },
    async (request, reply) => {
      const row = await control.schedules.add(request.body, actorOf(request));
      request.auditSubject = row.id;
      reply.code(201);
      return viewSchedule(row);
    },
  );

  app.patch(
    '/schedules/:id',
    {
      config: {
        role: 'operator',
        audit: {
          action: 'schedule.update',
          detail: ({ enabled, cron, timeZone }) => ({ enabled, cron, timeZone }),
        },
      },
      schema: {
        tags,
        summary: 'Change, enable or disable a schedule',
        params: idParams,
        body: schedulePatch,
        response: answers(200, scheduleView),
      },
    },
    async (request) =>
      viewSchedule(await control.schedules.update(request.params.id, request.body, actorOf(request))),
  );

  app.delete(
    '/schedules/:id',
    {
      config: { role: 'operator', audit: { action: 'schedule.remove' } },
      schema: {
        tags,
        summary: 'Remove a schedule; the runs that it started stay',
        params: idParams,
        response: answers(200, z.object({ removed: z.boolean() })),
      },
    },
    async (request) => {
      await control.schedules.remove(request.params.id, actorOf(request));
      return { removed: true };
    },
  );
}
