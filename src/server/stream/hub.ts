import type { Control } from '../../control/index.js';

/** What the database said has changed. Empty ids: something did, nobody knows what (the connection was lost). */
export interface Hints {
  event: { runId: string };
  run: { runId: string };
  fleet: { table: string; id: string };
}

type Handler<K extends keyof Hints> = (hint: Hints[K]) => void;

/**
 * The notifications of the database, listened to from the server's start, so that no stream has to wait for its LISTEN
 * to be in force.
 */
export class Hub {
  readonly #handlers: { [K in keyof Hints]: Set<Handler<K>> } = {
    event: new Set(),
    run: new Set(),
    fleet: new Set(),
  };
  readonly #stop: (() => void)[];

  constructor(listener: Control['listener']) {
    this.#stop = [
      listener.on('otto_event', (payload) => this.#tell('event', { runId: payload.split(' ')[0] ?? '' })),
      listener.on('otto_run', (payload) => this.#tell('run', { runId: payload })),
      listener.on('otto_fleet', (payload) => {
        const [table = '', id = ''] = payload.split(' ');
        this.#tell('fleet', { table, id });
      }),
    ];
  }

  /** Calls `handler` until `signal` aborts. */
  on<K extends keyof Hints>(kind: K, handler: Handler<K>, signal: AbortSignal): void {
    const handlers = this.#handlers[kind] as Set<Handler<K>>;
    handlers.add(handler);
    signal.addEventListener('abort', () => handlers.delete(handler), { once: true });
  }

  close(): void {
    for (const stop of this.#stop) stop();
  }

  #tell<K extends keyof Hints>(kind: K, hint: Hints[K]): void {
    for (const handler of this.#handlers[kind] as Set<Handler<K>>) handler(hint);
  }
}
