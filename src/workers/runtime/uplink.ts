import { type Clock, OttoError } from '../../base/index.js';
import { fromConnectError, isConnectionFailure } from '../protocol.js';
import type { WorkerClient } from './link.js';
import type { Outgoing, Session } from './session.js';

const keptLogLines = 500;

/** Where calls and messages go: the session of the moment, or, while there is none, they wait. */
export class Uplink {
  #session: Session | undefined;
  #waiting: (() => void)[] = [];
  #logs: Outgoing[] = [];
  #closed: OttoError | undefined;
  readonly #clock: Clock;
  /** How long a call looks for a connection before it fails, ms. */
  readonly #limitMs: number;

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  get attached(): boolean {
    return this.#session !== undefined;
  }

  attach(session: Session): void {
    this.#session = session;
    for (const line of this.#logs.splice(0)) session.send(line);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  detach(): void {
    this.#session = undefined;
  }

  /** For good: whoever waits for a connection, or calls from here on, gets this error. */
  close(error: OttoError): void {
    this.#closed = error;
    this.#session = undefined;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Lost when there is no session, save log lines: the last of them are kept. */
  send(message: Outgoing): void {
    if (this.#session) {
      this.#session.send(message);
    } else if (message.case === 'log') {
      this.#logs.push(message);
      if (this.#logs.length > keptLogLines) this.#logs.shift();
    }
  }

  /**
   * Calls the control plane, again and again while the connection fails: so a call must be safe to repeat. What the
   * control plane answers, also an error, is final.
   */
  async call<T>(run: (client: WorkerClient) => Promise<T>, signal: AbortSignal): Promise<T> {
    const deadline = this.#clock.monotonic() + this.#limitMs;
    for (;;) {
      signal.throwIfAborted();
      const session = await this.#connected(deadline, signal);
      try {
        return await run(session.link.client);
      } catch (error) {
        signal.throwIfAborted();
        const failure = fromConnectError(error);
        const lost = session.link.closed || session !== this.#session || isConnectionFailure(failure);
        if (!lost || this.#clock.monotonic() >= deadline) throw failure;
      }
      await this.#clock.sleep(100, signal);
    }
  }

  async #connected(deadline: number, signal: AbortSignal): Promise<Session> {
    while (this.#session === undefined) {
      if (this.#closed) throw this.#closed;
      const left = deadline - this.#clock.monotonic();
      if (left <= 0) {
        throw new OttoError('CONTROL_PLANE_UNREACHABLE', 'the control plane could not be reached', {
          transient: true,
        });
      }
      const done = new AbortController();
      const attached = new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
      try {
        await Promise.race([attached, this.#clock.sleep(left, AbortSignal.any([signal, done.signal]))]);
      } finally {
        done.abort();
      }
    }
    return this.#session;
  }
}
