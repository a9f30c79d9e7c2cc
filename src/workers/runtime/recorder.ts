import type { RecordAction, RecordActions } from '../protocol.js';
import type { Uplink } from './uplink.js';

/** Makes something durable at the control plane. Safe to repeat there: a call whose answer was lost is made again. */
export class Recorder {
  readonly #uplink: Uplink;
  readonly #identity: () => { workerId: string; leaseEpoch: bigint };

  constructor(uplink: Uplink, identity: () => { workerId: string; leaseEpoch: bigint }) {
    this.#uplink = uplink;
    this.#identity = identity;
  }

  async record<Action extends RecordAction>(
    action: Action,
    body: RecordActions[Action]['request'],
    options: { attemptId?: string; signal: AbortSignal },
  ): Promise<RecordActions[Action]['response']> {
    const response = await this.#uplink.call(
      (client) =>
        client.record(
          {
            ...this.#identity(),
            attemptId: options.attemptId ?? '',
            action,
            bodyJson: JSON.stringify(body),
          },
          { signal: options.signal, timeoutMs: 20_000 },
        ),
      options.signal,
    );
    return JSON.parse(
      response.bodyJson === '' ? '{}' : response.bodyJson,
    ) as RecordActions[Action]['response'];
  }
}
