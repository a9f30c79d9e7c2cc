import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import { Code, ConnectError } from '@connectrpc/connect';

/** How much may be under way unread, per call and in all: with the default of 64 KiB, distance decides the speed. */
const streamWindowBytes = 4 * 1024 * 1024;
const connectionWindowBytes = 16 * 1024 * 1024;

/**
 * The HTTP/2 connection of one link. Opened by the first call and never opened again: a worker that lost its
 * connection says hello on the next before anything else, so no call may bring one about on its own.
 */
export class OneConnection {
  readonly authority: string;
  readonly #options: SecureClientSessionOptions;
  #session: ClientHttp2Session | undefined;
  #ready: Promise<void> | undefined;
  #closed = false;

  constructor(authority: string, options: SecureClientSessionOptions = {}) {
    this.authority = authority;
    this.#options = options;
  }

  get closed(): boolean {
    return this.#closed;
  }

  async request(method: string, path: string, headers: OutgoingHttpHeaders): Promise<ClientHttp2Stream> {
    if (this.#closed) throw gone();
    this.#ready ??= this.#open();
    await this.#ready;
    if (this.#closed || !this.#session || this.#session.closed || this.#session.destroyed) throw gone();
    return this.#session.request({ ...headers, ':method': method, ':path': path });
  }

  notifyResponseByteRead(): void {
    // Heartbeats on the Attach stream show whether the connection lives.
  }

  close(): void {
    this.#closed = true;
    this.#session?.destroy(gone());
  }

  async #open(): Promise<void> {
    const session = connect(this.authority, {
      ...this.#options,
      settings: { enablePush: false, initialWindowSize: streamWindowBytes },
    });
    this.#session = session;
    const end = (): void => {
      this.#closed = true;
    };
    session.on('error', end);
    session.on('close', end);
    session.on('goaway', end);
    await once(session, 'connect');
    session.setLocalWindowSize(connectionWindowBytes);
  }
}

function gone(): ConnectError {
  return new ConnectError('the connection was given up', Code.Unavailable);
}
