import { z } from 'zod';
import { jsonObject, time } from './common.js';

export const artifactView = z
  .object({
    id: z.string(),
    kind: z.string(),
    name: z.string(),
    format: z.string(),
    bytes: z.number(),
    rows: z.number().optional(),
    sha256: z.string(),
    targetId: z.string().optional(),
    runId: z.string().optional(),
    command: z.string().optional(),
    createdAt: time,
    expiresAt: time.optional(),
    summary: z
      .record(z.string(), z.union([z.number(), z.string()]))
      .describe('What the manifest counts, flat, for a table'),
  })
  .meta({ id: 'ArtifactView' });

export const artifactDetail = artifactView.extend({ manifest: jsonObject }).meta({ id: 'ArtifactDetail' });

export const artifactRows = z
  .object({
    columns: z.array(z.object({ name: z.string(), type: z.string() })),
    items: z.array(jsonObject),
    total: z.number(),
  })
  .meta({ id: 'ArtifactRows' });

export const templateView = z
  .object({
    fingerprint: z.string(),
    sql: z.string(),
    calls: z.number(),
    errors: z.number(),
    meanMs: z.number(),
    p50Ms: z.number(),
    p95Ms: z.number(),
    p99Ms: z.number(),
    totalMs: z.number(),
    sparkline: z.array(z.number()).describe('Calls over the capture, in equal intervals'),
  })
  .meta({ id: 'TemplateView' });

export const seriesView = z
  .object({
    t: z.array(z.number()).describe('ms since the epoch'),
    count: z.array(z.number()),
    p50Ms: z.array(z.number().nullable()),
    p99Ms: z.array(z.number().nullable()),
  })
  .meta({ id: 'WorkloadSeries' });

export const captureDetail = z
  .object({
    artifact: artifactView,
    templates: z.array(templateView),
    series: seriesView,
    manifest: jsonObject,
  })
  .meta({ id: 'CaptureDetail' });
