import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OttoError } from '../base/index.js';
import { sendError } from './errors.js';

/** `dist/web`, both from the compiled `dist/server` and from `src/server`. */
export const builtWeb = fileURLToPath(new URL('../../dist/web', import.meta.url));

const missing = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Ottopilot</title>
<body><h1>The web UI is not built</h1>
<p>The API is served under <a href="/api/v1/health">/api/v1</a>. Build the pages with:</p>
<pre>npm run build</pre></body></html>`;

/** Serves the built pages; any address that is no file and no API is one of the application's own (SPA). */
export function serveWeb(app: FastifyInstance, root: string): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/*',
    config: { role: 'none' },
    schema: { hide: true },
    handler: async (request, reply) => {
      const { pathname } = new URL(request.url, 'http://here');
      if (pathname === '/api' || pathname.startsWith('/api/')) return await notServed(request, reply);
      if (!existsSync(join(root, 'index.html'))) {
        return await reply
          .code(pathname === '/' ? 200 : 404)
          .type('text/html; charset=utf-8')
          .send(missing);
      }
      const file = decodeURIComponent(pathname).replace(/^\/+/, '');
      if (file.startsWith('assets/')) {
        // Their names hold a hash of their content.
        return await reply.sendFile(file, root, { maxAge: '365d', immutable: true });
      }
      if (file !== '' && /\.\w+$/.test(file)) return await reply.sendFile(file, root, { maxAge: '1h' });
      if (!String(request.headers.accept ?? '').match(/text\/html|\*\/\*/)) {
        return await notServed(request, reply);
      }
      return await reply.sendFile('index.html', root, { maxAge: 0 });
    },
  });
  app.setNotFoundHandler(notServed);
}

async function notServed(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { pathname } = new URL(request.url, 'http://here');
  const error = new OttoError('ROUTE_NOT_FOUND', `there is no ${request.method} ${pathname.slice(0, 200)}`, {
    hint: 'GET /api/v1/openapi.json lists what there is.',
  });
  return await sendError(error, request, reply);
}
