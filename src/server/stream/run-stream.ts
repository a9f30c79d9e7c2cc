import type { FastifyReply, FastifyRequest } from 'fastify';
import { OttoError } from '../../base/index.js';
import type { Control } from '../../control/index.js';
import { readRunLight } from '../views/runs.js';
import { formatCursor, parseCursor, readBehind } from './event-cursor.js';
import type { Hub } from './hub.js';
import { Pump } from './pump.js';
import type { SseStream, Streams } from './sse.js';

const intervalMs = 100;

/** The live view of one run: its events, each once, and its state whenever that changes. */
export class RunStreams {
  readonly #control: Control;
  readonly #hub: Hub;
  readonly #streams: Streams;

  constructor(control: Control, hub: Hub, streams: Streams) {
    this.#control = control;
    this.#hub = hub;
    this.#streams = streams;
  }

  async open(
    request: FastifyRequest,
    reply: FastifyReply,
    options: { runId: string; resume: string | undefined },
  ): Promise<void> {
    const { runId } = options;
    let cursor = parseCursor(options.resume);
    let shown = '';
    if (!(await readRunLight(this.#control.db, runId))) {
      throw new OttoError('RUN_NOT_FOUND', `there is no run ${runId}`);
    }
    const stream = this.#streams.open(request, reply);
    const look = async (): Promise<void> => {
      cursor = await this.#sendEvents(stream, runId, cursor);
      const state = await readRunLight(this.#control.db, runId);
      const text = JSON.stringify(state);
      if (!state || text === shown) return;
      shown = text;
      stream.send('state', state);
    };
    const pump = new Pump(look, {
      intervalMs,
      signal: stream.signal,
      // The client comes back with its Last-Event-ID: nothing is lost by ending it here.
      onError: (error) => {
        request.log.warn({ err: error, runId }, 'a run stream broke');
        stream.close();
      },
    });
    const onHint = (hint: { runId: string }) => {
      if (hint.runId === runId || hint.runId === '') pump.ask();
    };
    this.#hub.on('event', onHint, stream.signal);
    this.#hub.on('run', onHint, stream.signal);
    stream.onPing(() => pump.ask());
    pump.ask();
  }

  async #sendEvents(
    stream: SseStream,
    runId: string,
    from: ReturnType<typeof parseCursor>,
  ): Promise<ReturnType<typeof parseCursor>> {
    let cursor = from;
    for (;;) {
      const { events, next, drained } = await readBehind(this.#control.db, runId, cursor);
      for (const { event, cursor: behind } of events) {
        await stream.ready();
        if (stream.signal.aborted) return cursor;
        stream.send('event', event, formatCursor(behind));
      }
      cursor = next;
      if (drained) return cursor;
    }
  }
}
