import { get } from 'node:http';
import type { CallOptions } from './test-server.js';

export interface SseMessage {
  event: string;
  id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into it
  data: any;
}

/** A client of an event stream that a test can question. */
export class SseClient {
  readonly messages: SseMessage[] = [];
  comments = 0;
  status = 0;
  ended = false;
  #lastId: string | undefined;
  #rest = '';
  #waiters: (() => void)[] = [];
  #close: () => void = () => {};

  static async open(url: string, options: CallOptions & { paused?: boolean } = {}): Promise<SseClient> {
    const client = new SseClient();
    const headers = {
      accept: 'text/event-stream',
      ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
      ...options.headers,
    };
    await new Promise<void>((resolve, reject) => {
      const request = get(url, { headers, agent: false }, (response) => {
        client.status = response.statusCode ?? 0;
        response.setEncoding('utf8');
        const end = () => {
          client.ended = true;
          client.#wake();
        };
        response.on('close', end);
        response.on('error', end);
        if (!options.paused) response.on('data', (text: string) => client.#take(text));
        resolve();
      });
      request.on('error', (error) => {
        client.ended = true;
        client.#wake();
        reject(error);
      });
      client.#close = () => request.destroy();
    });
    return client;
  }

  /** What a browser would send to go on from here. */
  get lastEventId(): string | undefined {
    return this.#lastId;
  }

  of(event: string): SseMessage[] {
    return this.messages.filter((message) => message.event === event);
  }

  /** Resolves once `holds` does; fails after 10 s, saying what had come by then. */
  async until(holds: (client: SseClient) => boolean): Promise<void> {
    const patience = AbortSignal.timeout(10_000);
    while (!holds(this)) {
      if (patience.aborted) throw new Error(`waited in vain; so far: ${JSON.stringify(this.messages)}`);
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
        patience.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  close(): void {
    this.#close();
  }

  #take(text: string): void {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) this.#read(block);
    this.#wake();
  }

  #read(block: string): void {
    const lines = block.split('\n');
    if (lines[0]?.startsWith(':')) this.comments += 1;
    const field = (name: string) =>
      lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    const data = field('data');
    if (data === undefined) return;
    const id = field('id');
    this.#lastId = id ?? this.#lastId;
    this.messages.push({ event: field('event') ?? 'message', id, data: JSON.parse(data) });
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }
}
