import { PassThrough } from 'node:stream';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from '@connectrpc/connect';
import { sql } from 'kysely';
import { type Logger, OttoError, type Progress } from '../../base/index.js';
import { isOutage, reportAttempt } from '../../dag/index.js';
import type { AttemptRow, Database, Listener, TokenRow } from '../../store/index.js';
import {
  type AssignmentContext,
  type AttachRequest,
  AttachResponseSchema,
  type Hello,
  toConnectError,
  WorkerService,
  workerProtocol,
} from '../../workers/index.js';
import type { Tokens } from '../services/tokens.js';
import { admit } from './admission.js';
import { ArtifactTransfer, type ArtifactTransferOptions } from './artifact-transfer.js';
import { loseAttempts, storeLog, storeProgress, storeReport } from './attempt-rows.js';
import { heartbeatMs, workerLeaseMs } from './leases.js';
import { record } from './record.js';

export interface GatewayOptions {
  db: Database;
  listener: Pick<Listener, 'on'>;
  tokens: Pick<Tokens, 'authenticate' | 'authenticateId'>;
  artifacts: ArtifactTransferOptions['artifacts'];
  controlPlaneId: string;
  version: string;
  logger: Logger;
  /** What an attempt may use: connection strings in the clear, so it is made when sent and never stored. */
  contextOf(attempt: AttemptRow): Promise<AssignmentContext>;
}

type Outgoing = MessageInitShape<typeof AttachResponseSchema>['message'];

interface Session {
  workerId: string;
  tokenId: string;
  leaseEpoch: number;
  send(message: Outgoing): void;
  end(): void;
}

/**
 * The control plane's end of the workers' connections. It holds no state that matters: assignments, reports and leases
 * are rows, so that a worker may come back to another control plane and go on.
 */
export class WorkerGateway {
  readonly #options: GatewayOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #transfer: ArtifactTransfer;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#transfer = new ArtifactTransfer(options);
    options.listener.on('otto_assign', (payload) => {
      const workerId = payload.split(' ')[0]!;
      const sessions = payload === '' ? [...this.#sessions.values()] : [this.#sessions.get(workerId)];
      for (const session of sessions)
        if (session) this.#deliver(session).catch((error: unknown) => this.#warn(session, error));
    });
  }

  routes(router: ConnectRouter): void {
    router.service(WorkerService, {
      attach: (requests, context) => this.#attach(requests, context),
      putArtifact: (parts, context) => this.#guard(context, () => this.#transfer.put(parts)),
      getArtifact: (request, context) =>
        this.#guardStream(context, () => this.#transfer.get(request.artifactId)),
      record: (request, context) => this.#guard(context, () => record(this.#options.db, request)),
    });
  }

  /** Tells a worker something, if it is attached here. */
  order(workerId: string, order: 'DRAIN' | 'STOP' | 'DROP_CLONE', subject = ''): boolean {
    const session = this.#sessions.get(workerId);
    session?.send({ case: 'order', value: { order, subject } });
    return session !== undefined;
  }

  closeAll(): void {
    for (const session of this.#sessions.values()) session.end();
  }

  async *#attach(requests: AsyncIterable<AttachRequest>, context: HandlerContext) {
    const token = await this.#authenticate(context);
    const out = new PassThrough({ objectMode: true });
    const send = (message: Outgoing) =>
      void (out.writable && out.write(create(AttachResponseSchema, { message })));
    context.signal.addEventListener('abort', () => out.end(), { once: true });
    void this.#listen(requests, token, send, out)
      .catch((error: unknown) => {
        if (!context.signal.aborted) this.#options.logger.debug({ err: error }, 'a worker connection ended');
      })
      .finally(() => out.end());
    yield* out as AsyncIterable<ReturnType<typeof create<typeof AttachResponseSchema>>>;
  }

  async #listen(
    requests: AsyncIterable<AttachRequest>,
    token: TokenRow,
    send: Session['send'],
    out: PassThrough,
  ): Promise<void> {
    let session: Session | undefined;
    try {
      for await (const { message } of requests) {
        if (message.case === 'hello') session = await this.#welcome(message.value, token, send, out);
        else if (session) await this.#receive(session, message);
        if (!session) return;
      }
    } finally {
      if (session && this.#sessions.get(session.workerId) === session)
        this.#sessions.delete(session.workerId);
    }
  }

  async #welcome(
    hello: Hello,
    token: TokenRow,
    send: Session['send'],
    out: PassThrough,
  ): Promise<Session | undefined> {
    try {
      if (hello.protocol !== workerProtocol) {
        throw new OttoError(
          'PROTOCOL_MISMATCH',
          `worker ${hello.version} speaks protocol ${hello.protocol}, this control plane ${workerProtocol}`,
          {
            hint: 'Run the same version of otto on both sides.',
          },
        );
      }
      const admitted = await admit(this.#options.db, {
        hello,
        token,
        controlPlaneId: this.#options.controlPlaneId,
      });
      const session: Session = {
        workerId: admitted.workerId,
        tokenId: token.id,
        leaseEpoch: admitted.leaseEpoch,
        send,
        end: () => out.end(),
      };
      // A second connection of the same worker: the older one is the broken one.
      this.#sessions.get(session.workerId)?.end();
      this.#sessions.set(session.workerId, session);
      send({
        case: 'welcome',
        value: {
          workerId: session.workerId,
          leaseEpoch: BigInt(session.leaseEpoch),
          leaseMs: workerLeaseMs,
          heartbeatMs,
          dropAttemptIds: admitted.dropAttempts,
          dropCloneIds: admitted.dropClones,
        },
      });
      await this.#deliver(session);
      return session;
    } catch (error) {
      send({ case: 'refused', value: { errorJson: JSON.stringify(OttoError.from(error)) } });
      return undefined;
    }
  }

  async #receive(session: Session, message: AttachRequest['message']): Promise<void> {
    const { db } = this.#options;
    switch (message.case) {
      case 'heartbeat': {
        const { freeBytes, attemptIds } = message.value;
        if (await this.#renew(session, Number(freeBytes))) await this.#deliver(session, new Set(attemptIds));
        return;
      }
      case 'accepted':
        await db
          .updateTable('attempts')
          .set({ state: 'RUNNING', started_at: sql<Date>`coalesce(started_at, now())` })
          .where('id', '=', message.value.attemptId)
          .where('lease_epoch', '=', session.leaseEpoch)
          .where('state', '=', 'ASSIGNED')
          .execute();
        return;
      case 'report':
        await storeReport(db, session, message.value);
        session.send({ case: 'stored', value: { attemptId: message.value.attemptId } });
        return;
      case 'log':
        await storeLog(db, session, message.value);
        return;
      case 'progress':
        await storeProgress(
          db,
          session,
          message.value.attemptId,
          JSON.parse(message.value.progressJson) as Progress,
        );
        return;
      case 'goodbye':
        await this.#goodbye(session, message.value.reason);
        return;
      default:
        return;
    }
  }

  /** Extends the lease; false (and the worker is told) when another process has it or its token is no longer good. */
  async #renew(session: Session, freeBytes: number): Promise<boolean> {
    if (!(await this.#options.tokens.authenticateId(session.tokenId))) {
      await this.#dismiss(session);
      return false;
    }
    const row = await this.#options.db
      .updateTable('workers')
      .set({
        lease_expires_at: sql<Date>`now() + ${workerLeaseMs} * interval '1 ms'`,
        control_plane_id: this.#options.controlPlaneId,
        info: sql<string>`info || jsonb_build_object('freeBytes', ${freeBytes}::bigint)`,
      })
      .where('id', '=', session.workerId)
      .where('lease_epoch', '=', session.leaseEpoch)
      .where('state', 'in', ['STARTING', 'READY', 'DRAINING'])
      .returning('id')
      .executeTakeFirst();
    if (row) {
      session.send({ case: 'renewed', value: { leaseEpoch: BigInt(session.leaseEpoch) } });
      return true;
    }
    const error = new OttoError(
      'LEASE_LOST',
      `the lease ${session.leaseEpoch} of worker ${session.workerId} is no longer valid`,
      {
        transient: true,
      },
    );
    session.send({ case: 'refused', value: { errorJson: JSON.stringify(error) } });
    session.end();
    return false;
  }

  /** A worker whose token was revoked or has expired: what it has in hand is lost. */
  async #dismiss(session: Session): Promise<void> {
    const { db, logger } = this.#options;
    const error = new OttoError('TOKEN_REFUSED', 'the token has expired or was revoked');
    logger.warn({ worker: session.workerId }, 'a worker was dismissed: its token is no longer good');
    await db
      .updateTable('workers')
      .set({ state: 'LOST', note: error.message })
      .where('id', '=', session.workerId)
      .where('token_id', '=', session.tokenId)
      .where('state', 'in', ['STARTING', 'READY', 'DRAINING'])
      .execute();
    await loseAttempts(db, session.workerId, `worker ${session.workerId} was dismissed: ${error.message}`);
    session.send({ case: 'refused', value: { errorJson: JSON.stringify(error) } });
    session.end();
  }

  /** Sends what the worker should have and does not say it has; also what was assigned while it was away. */
  async #deliver(session: Session, inHand: ReadonlySet<string> = new Set()): Promise<void> {
    const open = await this.#options.db
      .selectFrom('attempts')
      .selectAll()
      .where('worker_id', '=', session.workerId)
      .where('lease_epoch', '=', session.leaseEpoch)
      .where((where) =>
        where.or([
          where('state', 'in', ['ASSIGNED', 'RUNNING']),
          // Given up from here (timed out, cancelled): the worker may still be at it.
          ...(inHand.size > 0 ? [where('id', 'in', [...inHand])] : []),
        ]),
      )
      .execute();
    for (const attempt of open) {
      const given = attempt.state === 'ASSIGNED' || attempt.state === 'RUNNING';
      if (!given || attempt.cancel_requested_at) {
        session.send({
          case: 'cancel',
          value: { attemptId: attempt.id, reason: 'the run no longer wants it' },
        });
      }
      if (attempt.state === 'ASSIGNED' && !inHand.has(attempt.id) && !attempt.cancel_requested_at)
        await this.#assign(session, attempt);
      else if (attempt.state === 'ASSIGNED' && attempt.cancel_requested_at && !inHand.has(attempt.id)) {
        await reportAttempt(this.#options.db, attempt.id, { state: 'CANCELLED', output: null, error: null });
      }
    }
  }

  async #assign(session: Session, attempt: AttemptRow): Promise<void> {
    const command = await this.#options.db
      .selectFrom('commands')
      .select(['type', 'run_id', 'name'])
      .where('run_id', '=', attempt.run_id)
      .where('name', '=', attempt.command)
      .executeTakeFirstOrThrow();
    let context: AssignmentContext;
    try {
      context = await this.#options.contextOf(attempt);
    } catch (error) {
      if (isOutage(error)) throw error;
      await reportAttempt(this.#options.db, attempt.id, {
        state: 'FAILED',
        output: null,
        error: OttoError.from(error).toJSON(),
      });
      return;
    }
    session.send({
      case: 'assignment',
      value: {
        attemptId: attempt.id,
        leaseEpoch: BigInt(session.leaseEpoch),
        runId: attempt.run_id,
        command: attempt.command,
        number: attempt.number,
        type: command.type,
        configJson: JSON.stringify(attempt.input),
        contextJson: JSON.stringify(context),
        timeoutMs: BigInt(
          // It begins when it arrives: the time of day has no say in how long it may take.
          Math.max(
            1,
            attempt.deadline_at ? attempt.deadline_at.getTime() - attempt.created_at.getTime() : 3_600_000,
          ),
        ),
      },
    });
  }

  /** The worker ends in order: what it had in hand is lost now, not when its lease runs out. */
  async #goodbye(session: Session, reason: string): Promise<void> {
    const ended = await this.#options.db
      .updateTable('workers')
      .set({ state: 'STOPPED', stopped_at: sql<Date>`now()`, note: reason })
      .where('id', '=', session.workerId)
      .where('lease_epoch', '=', session.leaseEpoch)
      .returning('id')
      .executeTakeFirst();
    // Another process has its place by now.
    if (!ended) return;
    await loseAttempts(this.#options.db, session.workerId, `worker ${session.workerId} ended: ${reason}`);
  }

  async #authenticate(context: HandlerContext): Promise<TokenRow> {
    const header = context.requestHeader.get('authorization') ?? '';
    const token = header.startsWith('Bearer ')
      ? await this.#options.tokens.authenticate(header.slice(7))
      : undefined;
    if (!token) throw new ConnectError('the token is unknown, expired or revoked', Code.Unauthenticated);
    if (token.role !== 'worker')
      throw new ConnectError(`a token of role ${token.role} is not a worker's`, Code.PermissionDenied);
    return token;
  }

  async #guard<T>(context: HandlerContext, work: () => Promise<T>): Promise<T> {
    await this.#authenticate(context);
    try {
      return await work();
    } catch (error) {
      throw toConnectError(error);
    }
  }

  async *#guardStream<T>(context: HandlerContext, work: () => AsyncIterable<T>): AsyncIterable<T> {
    await this.#authenticate(context);
    try {
      yield* work();
    } catch (error) {
      throw toConnectError(error);
    }
  }

  #warn(session: Session, error: unknown): void {
    this.#options.logger.warn({ err: error, worker: session.workerId }, 'assignments could not be delivered');
  }
}
