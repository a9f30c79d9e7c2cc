import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastifyStatic from '@fastify/static';
import swagger from '@fastify/swagger';
import { type FastifyInstance, type FastifyServerOptions, fastify, LogController } from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { OttoError } from '../base/index.js';
import type { Control } from '../control/index.js';
import type { Api, RouteRole } from './api.js';
import { auditCall } from './auditing.js';
import { Authentication, checkHost } from './authentication.js';
import { sendError } from './errors.js';
import { servedNames } from './hosts.js';
import { Metrics } from './metrics.js';
import { withoutUnusedSchemas } from './openapi-document.js';
import { defaultLimits, type ServerLimits, type ServerOptions } from './options.js';
import { adminRoutes } from './routes/admin.js';
import { artifactRoutes } from './routes/artifacts.js';
import { dagRoutes } from './routes/dags.js';
import { fleetRoutes } from './routes/fleet.js';
import { runRoutes } from './routes/runs.js';
import { scheduleRoutes } from './routes/schedules.js';
import { sessionRoutes } from './routes/session.js';
import { systemRoutes } from './routes/system.js';
import { targetRoutes } from './routes/targets.js';
import { builtWeb, serveWeb } from './static.js';
import { HintStreams } from './stream/hint-stream.js';
import { Hub } from './stream/hub.js';
import { RunStreams } from './stream/run-stream.js';
import { Streams } from './stream/sse.js';

export const apiPrefix = '/api/v1';

/** A route as it was declared. */
export interface DeclaredRoute {
  method: string;
  url: string;
  role: RouteRole;
  audited: boolean;
}

/** The HTTP application, not yet listening, and everything that it serves. */
export async function createApp(
  control: Control,
  options: ServerOptions,
  tls?: { cert: Buffer; key: Buffer },
): Promise<{ app: FastifyInstance; routes: DeclaredRoute[] }> {
  const limits: ServerLimits = { ...defaultLimits, ...options.limits };
  const settings: FastifyServerOptions = {
    loggerInstance: control.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    trustProxy: options.trustProxy ?? false,
    forceCloseConnections: true,
    requestTimeout: 60_000,
    routerOptions: { maxParamLength: 200 },
  };
  const app = fastify({ ...settings, ...(tls && { https: tls }) }) as unknown as FastifyInstance;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(sendError);

  const authentication = new Authentication(control, { open: options.open ?? false });
  await registerPlugins(app, limits, control.version);
  const routes = guard(app, control, authentication, { limits, names: servedNames(options) });

  const hub = new Hub(control.listener);
  const streams = new Streams(limits);
  const metrics = new Metrics(control, { streams: () => streams.size });
  app.addHook('onReady', async () => metrics.start());
  app.addHook('preClose', async () => {
    hub.close();
    streams.closeAll();
    metrics.stop();
  });

  await app.register(
    async (scope) => {
      const api = scope.withTypeProvider<ZodTypeProvider>() as unknown as Api;
      systemRoutes(api, control, metrics, new HintStreams(control, hub, streams));
      sessionRoutes(api, authentication, limits.sessionsPerMinute);
      targetRoutes(api, control);
      dagRoutes(api, control);
      runRoutes(api, control, new RunStreams(control, hub, streams));
      artifactRoutes(api, control);
      fleetRoutes(api, control);
      scheduleRoutes(api, control);
      adminRoutes(api, control);
    },
    { prefix: apiPrefix },
  );
  serveWeb(app, options.webRoot ?? builtWeb);
  await app.ready();
  return { app, routes };
}

async function registerPlugins(app: FastifyInstance, limits: ServerLimits, version: string): Promise<void> {
  await app.register(cookie);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // The graph and the charts place their parts with style attributes; scripts are files of ours only.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
    // Said only over TLS: a browser ignores it otherwise, and a development host should not be pinned.
    strictTransportSecurity: app.initialConfig.https ? { maxAge: 15_552_000 } : false,
  });
  await app.register(rateLimit, {
    global: true,
    max: limits.requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => (request.actor ? `actor ${request.actor.name}` : `address ${request.ip}`),
    errorResponseBuilder: (_request, context) =>
      new OttoError('TOO_MANY_REQUESTS', `too many requests: wait ${Math.ceil(context.ttl / 1000)} s`, {
        transient: true,
      }),
  });
  await app.register(fastifyStatic, { root: builtWeb, serve: false, preCompressed: true });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Ottopilot', version, description: 'A self-driving control plane for databases.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (input) => withoutUnusedSchemas(jsonSchemaTransformObject(input)),
  });
}

/** What every request passes: the Host header, who calls, whether it may, and the audit on its way out. */
function guard(
  app: FastifyInstance,
  control: Control,
  authentication: Authentication,
  options: { limits: ServerLimits; names: ReadonlySet<string> },
): DeclaredRoute[] {
  const routes: DeclaredRoute[] = [];
  const countFailure = app.createRateLimit({
    max: options.limits.failedAuthPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => `failed ${request.ip}`,
  });
  app.addHook('onRoute', (route) => {
    const { role, audit } = route.config ?? {};
    if (role === undefined) throw new Error(`route ${String(route.method)} ${route.url} declares no role`);
    for (const method of [route.method].flat()) {
      routes.push({ method, url: route.url, role, audited: audit !== undefined });
    }
  });
  app.addHook('onRequest', async (request, reply) => {
    if (request.url.startsWith(apiPrefix)) reply.header('cache-control', 'no-store');
    checkHost(request, options.names);
    try {
      await authentication.check(request, request.routeOptions.config.role ?? 'none');
    } catch (error) {
      if (!(error instanceof OttoError) || error.code !== 'UNAUTHENTICATED') throw error;
      const count = await countFailure(request);
      // "Allowed" means on an allow list; under the limit is "not exceeded".
      if (count.isAllowed || !count.isExceeded) throw error;
      throw new OttoError('TOO_MANY_REQUESTS', 'too many failed attempts from this address', {
        transient: true,
      });
    }
  });
  app.addHook('onSend', async (request, reply) => await auditCall(control, request, reply));
  return routes;
}
