import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Logger } from '../../base/index.js';
import { startTestControl, type TestControl, testActor } from '../../control/testing/index.js';
import type { Role } from '../../store/index.js';
import { buildServer, type RunningServer, type ServerOptions } from '../index.js';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into it
  json: any;
}

export interface CallOptions {
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A control plane without an engine behind a real server, with a token of each role. */
export interface TestServer {
  control: TestControl;
  server: RunningServer;
  tokens: Record<Role, string>;
  /** One request; `path` is under /api/v1 unless it begins with `//`. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  stop(): Promise<void>;
}

export async function startTestServer(
  options: Partial<ServerOptions> & { again?: TestControl; logger?: Logger } = {},
): Promise<TestServer> {
  const { again, logger, ...serverOptions } = options;
  const control = await startTestControl({ ...(again && { again }), ...(logger && { logger }) });
  try {
    const server = await buildServer(control, { port: 0, workerPort: 0, ...serverOptions });
    const tokens = {} as Record<Role, string>;
    for (const role of ['viewer', 'operator', 'admin', 'worker'] as const) {
      tokens[role] = (await control.tokens.issue({ name: `a ${role}`, role }, testActor)).token;
    }
    return {
      control,
      server,
      tokens,
      call: (method, path, callOptions) => call(server.url, method, path, callOptions),
      stop: async () => {
        await server.close();
        await control.stop();
      },
    };
  } catch (error) {
    await control.stop();
    throw error;
  }
}

/** A request whose every header can be set, Host and Origin too, which fetch does not allow. */
export function call(
  origin: string,
  method: string,
  path: string,
  options: CallOptions & Pick<RequestOptions, 'agent'> = {},
): Promise<Answer> {
  const url = new URL(path.startsWith('//') ? path.slice(1) : `/api/v1${path}`, origin);
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  const headers = {
    ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
    ...(body !== undefined && {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }),
    ...options.headers,
  };
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = send(url, { method, headers, agent: options.agent ?? false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = String(incoming.headers['content-type']).includes('application/json');
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text,
          json: isJson && text !== '' ? JSON.parse(text) : undefined,
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
