import { type Clock, freeBytes, type Logger, OttoError, systemClock } from '../../base/index.js';
import type { WorkerInfo } from '../../store/index.js';
import { cloneIdOf } from '../clone-id.js';
import type { WorkerCommand } from '../command.js';
import type { AttachResponse, Order } from '../gen/otto/worker/v1/worker_pb.js';
import { workerProtocol } from '../protocol.js';
import { ArtifactCache } from './artifact-cache.js';
import { AttemptJournal } from './attempt-journal.js';
import { Attempts } from './attempts.js';
import { CloneKeeper } from './clone-keeper.js';
import { Ending } from './ending.js';
import { type Identity, openIdentity } from './identity.js';
import { version, workerInfo } from './info.js';
import { Lease } from './lease.js';
import { type Link, linkFactory } from './link.js';
import type { WorkerOptions } from './options.js';
import { preparation } from './prepare.js';
import { Recorder } from './recorder.js';
import { openSession, Refusal, refusalOf, type Session } from './session.js';
import { Uplink } from './uplink.js';

const defaults = { orphanTimeoutMs: 600_000, cancelGraceMs: 30_000, drainLimitMs: 300_000 };
const callLimitMs = 60_000;
const artifactIdleMs = 3_600_000;
const housekeepingMs = 30_000;
const goodbyeMs = 2000;
const firstBackoffMs = 100;
const longestBackoffMs = 5000;
/** Heartbeats without an answer after which a connection is taken for dead. */
const missedHeartbeats = 3;

/** A worker process: connects, keeps its lease, hands assignments to Attempts, and knows when to end. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #info: WorkerInfo;
  readonly #identity: Identity;
  readonly #openLink: () => Link;
  readonly #lease: Lease;
  readonly #uplink: Uplink;
  readonly #attempts: Attempts;
  readonly #clones: CloneKeeper;
  readonly #artifacts: ArtifactCache;
  readonly #ending: Ending;
  /** Aborted after the last: ends the housekeeping. */
  readonly #closed = new AbortController();
  #lastContact: number;
  #link: Link | undefined;

  private constructor(
    options: WorkerOptions,
    commands: readonly WorkerCommand[],
    opened: { info: WorkerInfo; identity: Identity; openLink: () => Link },
  ) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger;
    this.#info = opened.info;
    this.#identity = opened.identity;
    this.#openLink = opened.openLink;
    const { root } = options;
    const clock = this.#clock;
    const logger = this.#logger;
    const epoch = (): bigint => this.#lease.epoch;
    this.#lastContact = clock.monotonic();
    this.#lease = new Lease(clock, () => this.#onLeaseLost());
    const uplink = new Uplink(clock, callLimitMs);
    this.#uplink = uplink;
    const send = uplink.send.bind(uplink);
    const recorder = new Recorder(uplink, () => ({ workerId: this.#identity.id, leaseEpoch: epoch() }));
    this.#artifacts = new ArtifactCache({
      root,
      uplink,
      clock,
      idleMs: artifactIdleMs,
      closing: this.#closed.signal,
    });
    this.#clones = new CloneKeeper({
      root,
      clock,
      logger,
      busy: (id) =>
        this.#attempts.running.some(({ runId, command }) => cloneIdOf(`${runId}/${command}`) === id),
      reportStopped: async (id, note) => {
        if (!uplink.attached) throw new OttoError('CONTROL_PLANE_UNREACHABLE', 'not attached now');
        await recorder.record('clone_stopped', { id, note }, { signal: this.#closed.signal });
      },
    });
    this.#attempts = new Attempts({
      journal: new AttemptJournal(root, logger),
      clock,
      logger,
      epoch,
      send,
      prepare: preparation({
        kind: options.kind,
        commands,
        graceMs: options.cancelGraceMs ?? defaults.cancelGraceMs,
        deps: {
          workerId: () => this.#identity.id,
          epoch,
          root,
          allowCommand: options.allowCommand ?? false,
          clock,
          logger,
          send,
          artifacts: this.#artifacts,
          recorder,
          clones: this.#clones,
        },
      }),
      onChange: () => this.#ending.consider(),
    });
    this.#ending = new Ending({
      attempts: this.#attempts,
      attached: () => uplink.attached,
      clock,
      drainLimitMs: options.drainLimitMs ?? defaults.drainLimitMs,
    });
  }

  static async open(options: WorkerOptions, commands: readonly WorkerCommand[]): Promise<Worker> {
    const openLink = await linkFactory(options);
    const { root, region, logger } = options;
    const allowCommand = options.allowCommand !== undefined && options.allowCommand !== false;
    const worker = new Worker(options, commands, {
      openLink,
      info: await workerInfo({ root, ...(region !== undefined && { region }), allowCommand, logger }),
      identity: await openIdentity(root, options.controlUrl, options.id),
    });
    await worker.#clones.open();
    await worker.#artifacts.open();
    await worker.#attempts.recover();
    return worker;
  }

  /** Resolves with the reason once it has ended; rejects when it was refused. */
  async run(): Promise<{ reason: string }> {
    const stop = (): void => this.#ending.stop('it was told to stop');
    const drain = (): void => this.#ending.drain('it was told to drain');
    const { signal, drain: drainSignal } = this.#options;
    signal.addEventListener('abort', stop);
    drainSignal?.addEventListener('abort', drain);
    if (drainSignal?.aborted) drain();
    if (signal.aborted) stop();
    const housekeeping = this.#housekeep();
    try {
      await this.#stayAttached();
      const { hung } = this.#attempts;
      const rest = hung.length > 0 ? `; did not stop: ${hung.join(', ')}` : '';
      return { reason: `${this.#ending.reason}${rest}` };
    } finally {
      signal.removeEventListener('abort', stop);
      drainSignal?.removeEventListener('abort', drain);
      this.#lease.close();
      this.#link?.close();
      this.#ending.close();
      this.#closed.abort();
      await housekeeping;
    }
  }

  async #stayAttached(): Promise<void> {
    let backoffMs = firstBackoffMs;
    while (!this.#ending.signal.aborted) {
      try {
        await this.#attachOnce(() => {
          backoffMs = firstBackoffMs;
        });
      } catch (error) {
        if (error instanceof Refusal) await this.#leaveRefused(error);
        this.#logger.warn({ err: error }, 'no connection to the control plane');
      }
      if (this.#ending.signal.aborted) return;
      if (await this.#isOrphaned()) return;
      // Jitter: many workers lose the same control plane at once.
      await this.#clock.sleep(backoffMs * (0.5 + Math.random()), this.#ending.signal).catch(() => undefined);
      backoffMs = Math.min(backoffMs * 2, longestBackoffMs);
    }
  }

  /** One connection from hello to its end. */
  async #attachOnce(onWelcome: () => void): Promise<void> {
    const sentAt = this.#clock.monotonic();
    const link = this.#openLink();
    this.#link = link;
    try {
      const session = await openSession(
        link,
        {
          protocol: workerProtocol,
          workerId: this.#identity.id,
          kind: this.#options.kind,
          name: this.#options.name,
          version,
          leaseEpoch: this.#lease.epoch,
          infoJson: JSON.stringify({ ...this.#info, freeBytes: await freeBytes(this.#options.root) }),
          attemptIds: this.#attempts.ids(),
          cloneIds: await this.#clones.ids(),
        },
        this.#ending.signal,
      );
      onWelcome();
      await this.#welcome(session, sentAt);
      await this.#serve(session);
    } finally {
      this.#uplink.detach();
      link.close();
      this.#ending.consider();
    }
  }

  async #welcome(session: Session, sentAt: number): Promise<void> {
    const { welcome } = session;
    this.#lease.grant(welcome.leaseEpoch, welcome.leaseMs, sentAt);
    if (welcome.workerId !== '') await this.#identity.change(welcome.workerId);
    await this.#attempts.drop(welcome.dropAttemptIds);
    this.#uplink.attach(session);
    this.#attempts.resend(true);
    void this.#clones.drop(welcome.dropCloneIds, 'it is no longer wanted');
    this.#logger.info({ worker: this.#identity.id, epoch: String(welcome.leaseEpoch) }, 'attached');
    this.#ending.consider();
  }

  async #serve(session: Session): Promise<void> {
    const over = new AbortController();
    const sent: number[] = [];
    const heartbeats = this.#heartbeat(session, sent, over.signal);
    const leave = (): void => {
      session.send({ case: 'goodbye', value: { reason: this.#ending.reason } });
      session.finish();
      setTimeout(() => session.link.close(), goodbyeMs).unref();
    };
    this.#ending.signal.addEventListener('abort', leave);
    if (this.#ending.signal.aborted) leave();
    try {
      for await (const response of session.incoming()) {
        this.#lastContact = this.#clock.monotonic();
        if (response.message.case === 'renewed') {
          const at = sent.shift();
          if (at !== undefined && response.message.value.leaseEpoch === this.#lease.epoch)
            this.#lease.renew(at);
        } else {
          await this.#handle(response);
        }
      }
    } catch (error) {
      // Our own goodbye may cut the stream: that is no failure.
      if (!this.#ending.signal.aborted) throw error;
    } finally {
      this.#ending.signal.removeEventListener('abort', leave);
      over.abort();
      await heartbeats;
    }
  }

  async #heartbeat(session: Session, sent: number[], signal: AbortSignal): Promise<void> {
    const { heartbeatMs } = session.welcome;
    try {
      for (;;) {
        await this.#clock.sleep(heartbeatMs, signal);
        if (sent.length >= missedHeartbeats) {
          this.#logger.warn('the control plane answers no heartbeats: the connection is given up');
          session.link.close();
          return;
        }
        sent.push(this.#clock.monotonic());
        session.send({
          case: 'heartbeat',
          value: {
            leaseEpoch: this.#lease.epoch,
            freeBytes: BigInt(await freeBytes(this.#options.root)),
            attemptIds: this.#attempts.ids(),
          },
        });
        this.#attempts.resend(false);
      }
    } catch (error) {
      if (!signal.aborted) {
        this.#logger.error({ err: error }, 'the heartbeat failed');
        session.link.close();
      }
    }
  }

  async #handle({ message }: AttachResponse): Promise<void> {
    switch (message.case) {
      case 'assignment':
        return this.#attempts.assign(message.value);
      case 'cancel':
        return this.#attempts.cancel(message.value.attemptId, message.value.reason);
      case 'stored':
        return this.#attempts.stored(message.value.attemptId);
      case 'order':
        return this.#obey(message.value);
      case 'refused':
        return this.#refused(refusalOf(message.value.errorJson));
      default:
        this.#logger.warn({ message: message.case }, 'an unexpected message was ignored');
    }
  }

  #obey({ order, subject }: Order): void {
    if (order === 'DRAIN') this.#ending.drain('the control plane told it to drain');
    else if (order === 'STOP') this.#ending.stop('the control plane told it to stop');
    else if (order === 'DROP_CLONE') void this.#clones.drop([subject], 'the control plane ordered it');
    else this.#logger.warn({ order }, 'an unknown order was ignored');
  }

  /** In mid-conversation: another process may have the lease by now. */
  #refused(refusal: Refusal | OttoError): never {
    if (refusal instanceof OttoError && refusal.code === 'LEASE_LOST') this.#onLeaseLost();
    throw refusal;
  }

  #onLeaseLost(): void {
    this.#logger.error('the lease was lost: what runs is ended');
    this.#attempts.endAll(
      'lease',
      new OttoError('LEASE_LOST', 'the worker lost its lease while it carried this out', { transient: true }),
    );
    this.#link?.close();
  }

  /** Nothing runs, no clone has a time to live that somebody must see to, and no control plane has been seen for long. */
  async #isOrphaned(): Promise<boolean> {
    const limit = this.#options.orphanTimeoutMs ?? defaults.orphanTimeoutMs;
    if (this.#clock.monotonic() - this.#lastContact < limit) return false;
    if (this.#attempts.running.length > 0 || (await this.#clones.expire())) return false;
    this.#ending.end(`no control plane was reached for ${limit / 1000} s`);
    return true;
  }

  /** Ends what runs, then throws what the control plane said. */
  async #leaveRefused(refusal: Refusal): Promise<never> {
    this.#uplink.close(refusal.error);
    this.#attempts.endAll(
      'lease',
      new OttoError('WORKER_REFUSED', `the control plane refused this worker: ${refusal.message}`),
    );
    await this.#attempts.idle();
    throw refusal.error;
  }

  async #housekeep(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await this.#clones.sweep();
      await this.#artifacts.evict();
      await this.#clock.sleep(housekeepingMs, signal).catch(() => undefined);
    }
  }
}
