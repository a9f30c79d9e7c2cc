import { z } from 'zod';
import type { Control } from '../../control/index.js';
import { type Api, actorOf, answers } from '../api.js';
import { idParams, listOf } from '../schemas/common.js';
import { newTarget, settingView, targetView, targetWorkload } from '../schemas/target.js';
import { readTargetWorkload } from '../views/captures.js';
import { readSettings } from '../views/settings.js';
import { viewOneTarget, viewTargets } from '../views/targets.js';

const tags = ['targets'];

export function targetRoutes(app: Api, control: Control): void {
  app.get(
    '/targets',
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'All targets', response: answers(200, listOf(targetView)) },
    },
    async () => ({ items: await viewTargets(control.db, await control.targets.list()) }),
  );

  app.post(
    '/targets',
    {
      config: {
        role: 'admin',
        audit: { action: 'target.add', detail: ({ name, production }) => ({ name, production }) },
      },
      schema: {
        tags,
        summary: 'Register a database; a server that cannot be reached is registered as UNHEALTHY',
        body: newTarget,
        response: answers(201, targetView),
      },
    },
    async (request, reply) => {
      const row = await control.targets.add(request.body, actorOf(request));
      request.auditSubject = row.id;
      reply.code(201);
      return await viewOneTarget(control.db, row);
    },
  );

  app.get(
    '/targets/:id',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'One target, by id or name',
        params: idParams,
        response: answers(200, targetView),
      },
    },
    async (request) => await viewOneTarget(control.db, await control.targets.find(request.params.id)),
  );

  app.delete(
    '/targets/:id',
    {
      config: { role: 'admin', audit: { action: 'target.remove' } },
      schema: {
        tags,
        summary: 'Forget a target and its secrets; refused while it is in use',
        params: idParams,
        response: answers(200, z.object({ removed: z.boolean() })),
      },
    },
    async (request) => {
      await control.targets.remove((await control.targets.find(request.params.id)).id, actorOf(request));
      return { removed: true };
    },
  );

  app.post(
    '/targets/:id/check',
    {
      config: { role: 'operator', audit: { action: 'target.check' } },
      schema: {
        tags,
        summary: 'Look at its servers now',
        params: idParams,
        response: answers(200, targetView),
      },
    },
    async (request) => {
      const { id } = await control.targets.find(request.params.id);
      return await viewOneTarget(control.db, await control.targets.check(id));
    },
  );

  app.get(
    '/targets/:id/workload',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Its captures, and the templates of the latest or the given one',
        params: idParams,
        querystring: z.object({ capture: z.string().max(100).optional() }),
        response: answers(200, targetWorkload),
      },
    },
    async (request) => {
      const { id } = await control.targets.find(request.params.id);
      return await readTargetWorkload(control, id, request.query.capture);
    },
  );

  app.get(
    '/targets/:id/settings',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'The knobs of the primary, read now',
        params: idParams,
        response: answers(200, listOf(settingView)),
      },
    },
    async (request) => {
      const { id } = await control.targets.find(request.params.id);
      return { items: await readSettings(await control.targets.access(id)) };
    },
  );
}
