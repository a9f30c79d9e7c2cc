import { basename, dirname } from 'node:path';
import { z } from 'zod';
import type { Control } from '../../control/index.js';
import { type Api, answers, answersText } from '../api.js';
import { artifactDetail, artifactRows, artifactView, captureDetail } from '../schemas/artifact.js';
import { idParams, listOf, pageQuery } from '../schemas/common.js';
import { readArtifactRows } from '../views/artifact-rows.js';
import { findArtifact, listArtifacts, viewArtifact } from '../views/artifacts.js';
import { readCapture } from '../views/captures.js';

const tags = ['artifacts'];
const filter = {
  ...pageQuery,
  target: z.string().max(100).optional().describe('Id'),
  run: z.string().max(100).optional().describe('Id'),
};

export function artifactRoutes(app: Api, control: Control): void {
  app.get(
    '/captures',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Captured workloads, newest first',
        querystring: z.object(filter),
        response: answers(200, listOf(artifactView)),
      },
    },
    async (request) => await listArtifacts(control.db, { ...request.query, kind: 'workload' }),
  );

  app.get(
    '/captures/:id',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'A capture with its templates and its course over time',
        params: idParams,
        response: answers(200, captureDetail),
      },
    },
    async (request) => await readCapture(control, request.params.id),
  );

  app.get(
    '/artifacts',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Artifacts, newest first',
        querystring: z.object({ ...filter, kind: z.string().max(64).optional() }),
        response: answers(200, listOf(artifactView)),
      },
    },
    async (request) => await listArtifacts(control.db, request.query),
  );

  app.get(
    '/artifacts/:id',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'An artifact and its manifest',
        params: idParams,
        response: answers(200, artifactDetail),
      },
    },
    async (request) => {
      const row = await findArtifact(control.db, request.params.id);
      return { ...viewArtifact(row), manifest: row.manifest };
    },
  );

  app.get(
    '/artifacts/:id/content',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'The file itself, as a download; ranges are served',
        response: answersText('application/octet-stream', 'The file'),
        params: idParams,
      },
    },
    async (request, reply) => {
      const { row, path } = await control.artifacts.open(request.params.id);
      reply.type(row.format === 'json' ? 'application/json' : 'application/octet-stream');
      // The name is the shown one, the file the stored one: sendFile knows ranges and conditional requests.
      reply.header('content-disposition', attachment(row.name));
      return await reply.sendFile(basename(path), dirname(path), { cacheControl: false, etag: false });
    },
  );

  app.get(
    '/artifacts/:id/rows',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Rows of a Parquet or JSON artifact',
        params: idParams,
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(1000).default(100),
          offset: z.coerce.number().int().min(0).max(1_000_000_000).default(0),
        }),
        response: answers(200, artifactRows),
      },
    },
    async (request) => await readArtifactRows(await control.artifacts.open(request.params.id), request.query),
  );

  app.delete(
    '/artifacts/:id',
    {
      config: { role: 'admin', audit: { action: 'artifact.delete' } },
      schema: {
        tags,
        summary: 'Delete an artifact and its file',
        params: idParams,
        response: answers(200, z.object({ deleted: z.boolean() })),
      },
    },
    async (request) => {
      await control.artifacts.remove(request.params.id);
      return { deleted: true };
    },
  );
}

/** RFC 6266: an ASCII fallback, and the name itself in UTF-8. */
function attachment(name: string): string {
  const ascii = name.replaceAll(/[^\w.-]/g, '_');
  const utf8 = encodeURIComponent(name).replaceAll(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${utf8}`;
}
