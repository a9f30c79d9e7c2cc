import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Control } from '../../control/index.js';
import type { Hub } from './hub.js';
import { Pump } from './pump.js';
import type { Streams } from './sse.js';

const intervalMs = 250;

/** Tells a client which lists to read again: a hint for each thing that changed, gathered over a moment. */
export class HintStreams {
  readonly #control: Control;
  readonly #hub: Hub;
  readonly #streams: Streams;

  constructor(control: Control, hub: Hub, streams: Streams) {
    this.#control = control;
    this.#hub = hub;
    this.#streams = streams;
  }

  async open(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const stream = this.#streams.open(request, reply);
    const runs = new Set<string>();
    const fleet = new Map<string, { table: string; id: string }>();
    const states = new Map<string, string>();

    const look = async (): Promise<void> => {
      const changed = [...fleet.values()];
      const ids = [...runs];
      fleet.clear();
      runs.clear();
      await stream.ready();
      for (const hint of changed) stream.send('fleet', hint);
      for (const { id, state } of await this.#readStates(ids)) {
        // A line of a run's log is no news to a list.
        if (states.get(id) === state) continue;
        states.set(id, state);
        stream.send('run', { id, state });
      }
    };
    const pump = new Pump(look, {
      intervalMs,
      signal: stream.signal,
      onError: (error) => {
        request.log.warn({ err: error }, 'a hint stream broke');
        stream.close();
      },
    });
    const onRun = ({ runId }: { runId: string }) => {
      // After a lost connection anything may have changed: "*" says so.
      if (runId === '') fleet.set('*', { table: '*', id: '' });
      else runs.add(runId);
      pump.ask();
    };
    this.#hub.on('event', onRun, stream.signal);
    this.#hub.on('run', onRun, stream.signal);
    this.#hub.on(
      'fleet',
      ({ table, id }) => {
        fleet.set(`${table} ${id}`, { table: table === '' ? '*' : table, id });
        pump.ask();
      },
      stream.signal,
    );
  }

  async #readStates(ids: string[]): Promise<{ id: string; state: string }[]> {
    if (ids.length === 0) return [];
    return await this.#control.db.selectFrom('runs').select(['id', 'state']).where('id', 'in', ids).execute();
  }
}
