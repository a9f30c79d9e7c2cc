import { readFile } from 'node:fs/promises';
import type { SecureClientSessionOptions } from 'node:http2';
import { isIP } from 'node:net';
import { checkServerIdentity, rootCertificates } from 'node:tls';
import { type Client, createClient, type Interceptor } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { InputError, OttoError } from '../../base/index.js';
import { WorkerService } from '../gen/otto/worker/v1/worker_pb.js';
import { OneConnection } from './one-connection.js';

export type WorkerClient = Client<typeof WorkerService>;

/** One HTTP/2 connection, shared by every call. Opened by the first call; closed for good by `close`. */
export interface Link {
  client: WorkerClient;
  readonly closed: boolean;
  close(): void;
}

export interface LinkOptions {
  controlUrl: string;
  token: string;
  insecure?: boolean;
  tls?: { ca?: string; serverName?: string };
}

/** Checks the address once and returns what opens links to it. */
export async function linkFactory(options: LinkOptions): Promise<() => Link> {
  const url = controlUrlOf(options);
  const ca = await certificateOf(options.tls?.ca);
  const authorize: Interceptor = (next) => (request) => {
    request.header.set('authorization', `Bearer ${options.token}`);
    return next(request);
  };
  return () => {
    const connection = new OneConnection(url.origin, {
      ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
      ...expecting(options.tls?.serverName),
    });
    const transport = createGrpcTransport({
      baseUrl: url.origin,
      sessionManager: connection,
      interceptors: [authorize],
    });
    return {
      client: createClient(WorkerService, transport),
      get closed() {
        return connection.closed;
      },
      close: () => connection.close(),
    };
  };
}

function expecting(serverName: string | undefined): SecureClientSessionOptions {
  if (serverName === undefined) return {};
  return {
    // Server name indication knows names only.
    ...(isIP(serverName) === 0 && { servername: serverName }),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
  };
}

function controlUrlOf(options: LinkOptions): URL {
  let url: URL;
  try {
    url = new URL(options.controlUrl);
  } catch (error) {
    throw new InputError(`the control plane's address "${options.controlUrl}" is not a URL`, {
      cause: error,
    });
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new InputError(`the control plane's address must be https:// or http://, not ${url.protocol}//`);
  }
  if (url.protocol === 'http:' && !options.insecure && !isLoopback(url.hostname)) {
    throw new InputError(`${url.origin}: the token would travel in the clear`, {
      code: 'INSECURE_CONTROL_URL',
      hint: 'Use https://, or an SSH tunnel to loopback; --insecure permits it on a network you trust.',
    });
  }
  return url;
}

export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}

async function certificateOf(ca: string | undefined): Promise<string | undefined> {
  if (ca === undefined || ca.includes('-----BEGIN')) return ca;
  try {
    return await readFile(ca, 'utf8');
  } catch (error) {
    throw new OttoError('BAD_CERTIFICATE', `cannot read the certificate authority ${ca}`, {
      where: ca,
      cause: error,
    });
  }
}
