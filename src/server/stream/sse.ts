import { once } from 'node:events';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { OttoError } from '../../base/index.js';
import { actorOf } from '../api.js';

export interface StreamLimits {
  streamsPerActor: number;
  streamBacklogBytes: number;
  streamPingMs: number;
  streamUnreadMs: number;
}

/** The event streams that are open at this server. */
export class Streams {
  readonly #limits: StreamLimits;
  readonly #open = new Set<SseStream>();

  constructor(limits: StreamLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Turns the reply into an event stream. @throws TOO_MANY_STREAMS. */
  open(request: FastifyRequest, reply: FastifyReply): SseStream {
    const owner = actorOf(request).name;
    const { streamsPerActor } = this.#limits;
    if ([...this.#open].filter((stream) => stream.owner === owner).length >= streamsPerActor) {
      throw new OttoError('TOO_MANY_STREAMS', `"${owner}" already has ${streamsPerActor} streams open`, {
        hint: 'Close some pages, or use one token for each program.',
        transient: true,
      });
    }
    const stream = new SseStream(owner, reply, this.#limits);
    this.#open.add(stream);
    stream.signal.addEventListener('abort', () => this.#open.delete(stream), { once: true });
    return stream;
  }

  closeAll(): void {
    for (const stream of this.#open) stream.close();
  }
}

/** One client that listens. */
export class SseStream {
  readonly owner: string;
  readonly #raw: FastifyReply['raw'];
  readonly #limits: StreamLimits;
  readonly #closed = new AbortController();
  readonly #ping: NodeJS.Timeout;
  #onPing: () => void = () => {};

  constructor(owner: string, reply: FastifyReply, limits: StreamLimits) {
    this.owner = owner;
    this.#raw = reply.raw;
    this.#limits = limits;
    const headers = reply.getHeaders();
    reply.hijack();
    this.#raw.writeHead(200, {
      ...(headers as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Proxies that buffer would hold back a live view.
      'x-accel-buffering': 'no',
    });
    this.#raw.write('retry: 2000\n\n');
    this.#raw.on('close', () => this.close());
    this.#raw.on('error', () => this.close());
    this.#ping = setInterval(() => {
      this.#write(': ping\n\n');
      this.#onPing();
    }, limits.streamPingMs);
  }

  /** Aborts when the client or the server ends it. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  /** Called at each ping: the time to look whether a hint was missed. */
  onPing(handler: () => void): void {
    this.#onPing = handler;
  }

  send(event: string, data: unknown, id?: string): void {
    const head = id === undefined ? '' : `id: ${id}\n`;
    this.#write(`${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Resolves once the client has read enough that more may be sent; drops one that does not read. */
  async ready(): Promise<void> {
    if (this.signal.aborted || !this.#raw.writableNeedDrain) return;
    const patience = AbortSignal.timeout(this.#limits.streamUnreadMs);
    try {
      await once(this.#raw, 'drain', { signal: AbortSignal.any([patience, this.signal]) });
    } catch (error) {
      if ((error as Error).name !== 'AbortError') throw error;
      if (patience.aborted) this.#drop();
    }
  }

  close(): void {
    if (this.signal.aborted) return;
    clearInterval(this.#ping);
    this.#closed.abort();
    this.#raw.end();
  }

  #write(text: string): void {
    if (this.signal.aborted) return;
    this.#raw.write(text);
    if (this.#raw.writableLength > this.#limits.streamBacklogBytes) this.#drop();
  }

  #drop(): void {
    this.close();
    this.#raw.destroy();
  }
}
