import type { AddressInfo } from 'node:net';
import { OttoError } from '../base/index.js';
import type { Control } from '../control/index.js';
import { createApp } from './app.js';
import { checkExposure, reachableHost } from './hosts.js';
import { listenError, listenForWorkers, readTls } from './listeners.js';
import type { ServerOptions } from './options.js';
import { nameBesides } from './tls-name.js';

export interface RunningServer {
  /** Where a browser or the command line on this machine reaches it, such as `http://127.0.0.1:7117`. */
  url: string;
  /** Where workers attach. */
  workerUrl: string;
  port: number;
  workerPort: number;
  /** A name that the certificate bears, where it is not made out to the host of `url`. */
  tlsName?: string;
  /** Ends both listeners, the event streams too. Calling it again is harmless. */
  close(): Promise<void>;
}

/**
 * Starts both listeners: API, streams and web over HTTP/1.1; the worker service over HTTP/2.
 * @throws TLS_NEEDED and OPEN_MODE_EXPOSED where it would be unsafe; PORT_TAKEN, PORT_FORBIDDEN, LISTEN_FAILED,
 * TLS_FILE. Nothing is left listening then.
 */
export async function buildServer(control: Control, options: ServerOptions): Promise<RunningServer> {
  checkExposure(options);
  const host = options.host ?? '127.0.0.1';
  const tls = await readTls(options.tls);
  const { app } = await createApp(control, options, tls).catch((error) => {
    if (!options.tls || !/PEM|X509|key values mismatch|bad (base64|decrypt)/i.test(String(error)))
      throw error;
    throw new OttoError('TLS_FILE', `certificate and key cannot be used: ${(error as Error).message}`, {
      where: options.tls.certFile,
      cause: error,
    });
  });
  try {
    await app.listen({ host, port: options.port }).catch((error) => {
      throw listenError(error, { host, port: options.port }, 'HTTP');
    });
    const workers = await listenForWorkers(control, { host, port: options.workerPort, ...(tls && { tls }) });
    const { port } = app.server.address() as AddressInfo;
    const near = reachableHost(host);
    const origin = (at: number) =>
      `${tls ? 'https' : 'http'}://${near.includes(':') ? `[${near}]` : near}:${at}`;
    const tlsName = tls && nameBesides(near, tls.cert);
    let closing: Promise<void> | undefined;
    const close = async () => {
      await Promise.all([app.close(), workers.close()]);
    };
    return {
      url: origin(port),
      workerUrl: origin(workers.port),
      port,
      workerPort: workers.port,
      ...(tlsName !== undefined && { tlsName }),
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  } catch (error) {
    await app.close();
    throw error;
  }
}
