import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { OttoError } from '../base/index.js';
import type { Control } from '../control/index.js';
import type { ServerOptions } from './options.js';

/** What a worker may send before it waits for us, bytes: with the default of 64 KiB a distant one crawls. */
const windowBytes = 4 * 1024 * 1024;
const http2Settings = { settings: { initialWindowSize: windowBytes } };
/** Above the largest message of the worker protocol: a chunk of an artifact, or a context. */
const messageBytes = 8 * 1024 * 1024;

export interface WorkerListener {
  port: number;
  close(): Promise<void>;
}

export async function readTls(tls: ServerOptions['tls']): Promise<{ cert: Buffer; key: Buffer } | undefined> {
  if (!tls) return undefined;
  const read = async (what: string, file: string) => {
    try {
      return await readFile(file);
    } catch (error) {
      throw new OttoError('TLS_FILE', `the TLS ${what} cannot be read: ${(error as Error).message}`, {
        where: file,
        cause: error,
      });
    }
  };
  return { cert: await read('certificate', tls.certFile), key: await read('key', tls.keyFile) };
}

/** Serves the worker service over HTTP/2: with TLS where the server has it, else in clear (h2c). */
export async function listenForWorkers(
  control: Control,
  options: { host: string; port: number; tls?: { cert: Buffer; key: Buffer } },
): Promise<WorkerListener> {
  const handler = connectNodeAdapter({
    routes: (router) => control.workerRoutes(router),
    readMaxBytes: messageBytes,
    writeMaxBytes: messageBytes,
  }) as unknown as (request: IncomingMessage, response: ServerResponse) => void;
  const server: Http2Server | Http2SecureServer = options.tls
    ? createSecureServer({ ...options.tls, ...http2Settings, allowHTTP1: false }, handler as never)
    : createServer(http2Settings, handler as never);
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(windowBytes);
    session.on('close', () => sessions.delete(session));
    // A worker that vanished: its lease tells, the transport need not.
    session.on('error', (error) => control.logger.debug({ err: error }, 'a worker connection broke'));
  });
  server.on('sessionError', (error) => control.logger.debug({ err: error }, 'a worker connection broke'));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  }).catch((error) => {
    throw listenError(error, options, 'worker');
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Attached workers hold their stream for as long as they live: nothing would ever close by itself.
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

/** Why a port could not be had, as a sentence. */
export function listenError(
  error: unknown,
  { host, port }: { host: string; port: number },
  what: 'HTTP' | 'worker',
): OttoError {
  const { code, message } = error as NodeJS.ErrnoException;
  const flag = what === 'HTTP' ? '--port' : '--worker-port';
  if (code === 'EADDRINUSE') {
    return new OttoError('PORT_TAKEN', `the ${what} port ${port} on ${host} is taken by another program`, {
      hint: `End the other program, or choose another port with ${flag} (0 takes a free one).`,
      cause: error,
    });
  }
  if (code === 'EACCES') {
    return new OttoError('PORT_FORBIDDEN', `this account may not listen on port ${port}`, {
      hint: `Choose a port above 1023 with ${flag}.`,
      cause: error,
    });
  }
  return new OttoError('LISTEN_FAILED', `cannot listen on ${host}:${port}: ${message}`, { cause: error });
}
