import { z } from 'zod';
import type { Control } from '../../control/index.js';
import { type Api, actorOf, answers } from '../api.js';
import { idParams, listOf, pageQuery } from '../schemas/common.js';
import { changeView, cloneView, controlPlaneView, workerView } from '../schemas/fleet.js';
import { listControlPlanes } from '../views/control-planes.js';
import { listChanges, listClones, listWorkers, readClone, readWorker } from '../views/fleet.js';

const tags = ['fleet'];

export function fleetRoutes(app: Api, control: Control): void {
  app.get(
    '/clones',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Exploratory instances, newest first',
        querystring: z.object(pageQuery),
        response: answers(200, listOf(cloneView)),
      },
    },
    async (request) => await listClones(control.db, request.query),
  );

  app.post(
    '/clones/:id/stop',
    {
      config: { role: 'operator', audit: { action: 'clone.stop' } },
      schema: { tags, summary: 'Stop and delete it', params: idParams, response: answers(200, cloneView) },
    },
    async (request) => {
      await control.fleet.stopClone(request.params.id, actorOf(request));
      return await readClone(control.db, request.params.id);
    },
  );

  app.get(
    '/workers',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Workers, newest first',
        querystring: z.object(pageQuery),
        response: answers(200, listOf(workerView)),
      },
    },
    async (request) => await listWorkers(control.db, request.query),
  );

  app.post(
    '/workers/:id/drain',
    {
      config: { role: 'operator', audit: { action: 'worker.drain' } },
      schema: {
        tags,
        summary: 'Take nothing new, end when idle',
        params: idParams,
        response: answers(200, workerView),
      },
    },
    async (request) => {
      await control.fleet.drain(request.params.id, actorOf(request));
      return await readWorker(control.db, request.params.id);
    },
  );

  app.post(
    '/workers/:id/stop',
    {
      config: { role: 'operator', audit: { action: 'worker.stop' } },
      schema: {
        tags,
        summary: 'Cancel what it does and end it',
        params: idParams,
        response: answers(200, workerView),
      },
    },
    async (request) => {
      await control.fleet.stop(request.params.id, actorOf(request));
      return await readWorker(control.db, request.params.id);
    },
  );

  app.get(
    '/changes',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'The journal of changed settings, newest first',
        querystring: z.object({
          ...pageQuery,
          state: z.enum(['INTENDED', 'RESTORED', 'KEPT_THEIRS']).optional(),
          target: z.string().max(100).optional().describe('Id'),
        }),
        response: answers(200, listOf(changeView)),
      },
    },
    async (request) => await listChanges(control.db, request.query),
  );

  app.post(
    '/changes/restore',
    {
      config: { role: 'operator', audit: { action: 'change.restore' } },
      schema: {
        tags,
        summary: 'Put back every setting of a target whose change is open; answers with its journal',
        body: z.strictObject({ targetId: z.string().min(1).max(100) }),
        response: answers(200, listOf(changeView)),
      },
    },
    async (request) => {
      const { id } = await control.targets.find(request.body.targetId);
      request.auditSubject = id;
      await control.fleet.restoreChanges(id, actorOf(request));
      return await listChanges(control.db, { target: id, limit: 100 });
    },
  );

  app.get(
    '/control-planes',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Control planes that are up',
        response: answers(200, z.array(controlPlaneView)),
      },
    },
    async () => await listControlPlanes(control.db, control.id),
  );
}
