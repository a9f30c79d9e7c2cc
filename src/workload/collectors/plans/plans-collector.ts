import { z } from 'zod';
import { InputError, OttoError } from '../../../base/index.js';
import { withDatabase } from '../../../postgres/index.js';
import { type CollectorContext, defineCollector } from '../collector.js';
import { ServerConnection } from '../server-connection.js';
import { explain, whyNot } from './explain.js';
import { type PlanSummary, summarisePlan } from './plan-summary.js';
import { type CapturedTemplate, readSamples } from './read-samples.js';

const config = z.object({
  templates: z
    .int()
    .min(1)
    .max(10_000)
    .default(200)
    .describe('So many templates, those with most time in all first'),
  samplesPerTemplate: z
    .int()
    .min(1)
    .max(100)
    .default(1)
    .describe('Calls of each; with one, the median by duration'),
  statementTimeoutMs: z.int().min(1).max(3_600_000).default(30_000),
  analyze: z
    .boolean()
    .default(true)
    .describe('Carry the statements out; on anything but a clone they never are'),
  includeParameters: z.boolean().default(false).describe('Put the parameters into the result'),
});
type Config = z.infer<typeof config>;

const maybe = z.number().nullable();

const summary: z.ZodType<PlanSummary> = z.object({
  totalCost: z.number(),
  planRows: z.number(),
  actualRows: maybe,
  planningMs: maybe,
  executionMs: maybe,
  sharedHitBlocks: z.number(),
  sharedReadBlocks: z.number(),
  tempWrittenBlocks: z.number(),
  nodes: z.record(z.string(), z.number()),
  indexes: z.array(z.string()),
  sequentialScans: z.array(z.string()),
  worstRowError: maybe,
});

const ofTemplate = { database: z.string(), fingerprint: z.string(), template: z.string(), calls: z.number() };

const result = z.object({
  analyzed: z.boolean(),
  plans: z.array(
    z.object({
      ...ofTemplate,
      capturedP50Ms: maybe,
      /** Of the call that was explained. */
      capturedMs: maybe,
      parameters: z.array(z.string().nullable()).optional(),
      summary,
      /** EXPLAIN (FORMAT JSON) as it is. */
      output: z.unknown(),
    }),
  ),
  notExplained: z.array(z.object({ ...ofTemplate, code: z.string().nullable(), reason: z.string() })),
});
type Result = z.infer<typeof result>;

export const plansCollector = defineCollector({
  type: 'PLANS',
  summary:
    'Execution plans of the templates of a capture, with real parameters, in transactions that are rolled back.',
  config,
  result,
  defaultTimeoutMs: 3_600_000,
  async setup({ captureFile }) {
    if (captureFile === undefined) {
      throw new InputError('PLANS needs a capture', {
        code: 'CAPTURE_NEEDED',
        hint: 'Capture the workload first, or name the capture to use.',
      });
    }
    return { captureFile, servers: new Map<string, ServerConnection>() };
  },
  async collect(context, { captureFile, servers }): Promise<Result> {
    const { config: given, signal, progress, role } = context;
    const limits = { templates: given.templates, samples: given.samplesPerTemplate };
    const templates = await readSamples(captureFile, limits, signal);
    const analyze = given.analyze && role === 'clone';
    if (given.analyze && !analyze) {
      context.log('info', `on a ${role} statements are not carried out: plans are the planner's estimates`);
    }
    const collected: Result = { analyzed: analyze, plans: [], notExplained: [] };
    for (const [done, template] of templates.entries()) {
      signal.throwIfAborted();
      progress({ phase: 'explaining', done, total: templates.length, unit: 'statements' });
      await explainTemplate(context, servers, template, analyze, collected);
    }
    return collected;
  },
  async cleanup(_, state) {
    for (const server of state?.servers.values() ?? []) await server.close();
  },
  rows: ({ plans }) => plans.length,
});

async function explainTemplate(
  context: CollectorContext<Config>,
  servers: Map<string, ServerConnection>,
  captured: CapturedTemplate,
  analyze: boolean,
  into: Result,
): Promise<void> {
  const { database, fingerprint, template, calls, kind, p50Ms } = captured;
  const of = { database, fingerprint, template, calls };
  const reason = whyNot(kind, captured.samples[0]);
  if (reason !== undefined) {
    into.notExplained.push({ ...of, code: null, reason });
    return;
  }
  const server = await serverFor(context, servers, database, analyze);
  if ('reason' in server) {
    into.notExplained.push({ ...of, ...server });
    return;
  }
  const { statementTimeoutMs, includeParameters } = context.config;
  for (const call of captured.samples) {
    const explained = await explain(server, call, { analyze, statementTimeoutMs });
    context.signal.throwIfAborted();
    if ('reason' in explained) {
      into.notExplained.push({ ...of, ...explained });
      continue;
    }
    into.plans.push({
      ...of,
      capturedP50Ms: p50Ms,
      capturedMs: call.durationMs,
      ...(includeParameters && { parameters: call.parameters ?? [] }),
      summary: summarisePlan(explained.output),
      output: explained.output,
    });
  }
}

/** One connection a database, opened when first needed. */
async function serverFor(
  context: CollectorContext<Config>,
  servers: Map<string, ServerConnection>,
  database: string,
  writable: boolean,
): Promise<ServerConnection | { code: string; reason: string }> {
  const open = servers.get(database);
  if (open) return open;
  try {
    const url = withDatabase(context.url, database);
    const server = await ServerConnection.open(context, { url, writable });
    servers.set(database, server);
    return server;
  } catch (error) {
    if (!(error instanceof OttoError) || !['NO_SUCH_DATABASE', 'NOT_ALLOWED'].includes(error.code))
      throw error;
    return { code: error.code, reason: error.message };
  }
}
