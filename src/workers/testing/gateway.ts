import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { type ErrorJson, newId, OttoError } from '../../base/index.js';
import {
  type AssignmentSchema,
  type AttachRequest,
  type AttachResponse,
  AttachResponseSchema,
  GetArtifactResponseSchema,
  type Hello,
  type PutArtifactRequest,
  PutArtifactResponseSchema,
  type RecordRequest,
  RecordResponseSchema,
  type Report,
  type WelcomeSchema,
  WorkerService,
} from '../gen/otto/worker/v1/worker_pb.js';
import { type StoredArtifact, toConnectError } from '../protocol.js';
import { Outbox } from '../runtime/outbox.js';

type Outgoing = NonNullable<MessageInitShape<typeof AttachResponseSchema>['message']>;
export type Incoming = AttachRequest['message'];

/** One Attach stream as the scripted control plane sees it. */
export interface Attachment {
  hello: Hello;
  send(message: Outgoing): void;
  /** Ends the stream in order. */
  end(): void;
}

export interface GatewayScript {
  /** PEM: speak TLS. */
  tls?: { cert: string; key: string };
  token?: string;
  leaseMs?: number;
  heartbeatMs?: number;
  /** Changes the answer to a hello. */
  welcome?: (hello: Hello, epoch: bigint) => MessageInitShape<typeof WelcomeSchema> | ErrorJson;
  /** Whether reports are answered with Stored. */
  stores?: (report: Report) => boolean;
  /** Whether heartbeats are answered. */
  renews?: () => boolean;
  record?: (request: RecordRequest) => unknown;
}

/** A control plane in memory on real HTTP/2, which does what a test tells it and remembers what it was told. */
export class TestGateway {
  script: GatewayScript;
  readonly received: Incoming[] = [];
  readonly attachments: Attachment[] = [];
  readonly records: { action: string; attemptId: string; leaseEpoch: bigint; body: unknown }[] = [];
  readonly artifacts = new Map<string, { artifact: StoredArtifact; content: Buffer }>();
  /** Connections that were ever made. */
  connections = 0;
  epoch = 1n;
  #port = 0;
  #server: Http2Server | undefined;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();
  #waiting: (() => void)[] = [];

  private constructor(script: GatewayScript) {
    this.script = script;
  }

  static async start(script: GatewayScript = {}): Promise<TestGateway> {
    const gateway = new TestGateway(script);
    await gateway.listen();
    return gateway;
  }

  get url(): string {
    return `http${this.script.tls ? 's' : ''}://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Also again after `kill`, on the same port. */
  async listen(): Promise<void> {
    const handler = connectNodeAdapter({ routes: (router) => this.#routes(router) });
    const { tls } = this.script;
    const settings = { initialWindowSize: 4 * 1024 * 1024 };
    const server = tls
      ? createSecureServer({ ...tls, settings }, handler)
      : createServer({ settings }, handler);
    server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.setLocalWindowSize(16 * 1024 * 1024);
      session.on('close', () => this.#sessions.delete(session));
      session.on('error', () => session.destroy());
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Cuts every connection without a word; the server goes on listening. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Gone like after kill -9: nobody listens any more. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    this.cut();
    await closed;
  }

  get attachment(): Attachment {
    const last = this.attachments.at(-1);
    if (!last) throw new Error('no worker has attached');
    return last;
  }

  assign(
    assignment: Partial<MessageInitShape<typeof AssignmentSchema>> & { attemptId: string; type: string },
  ): void {
    const [runId, command, number] = assignment.attemptId.split('/');
    this.attachment.send({
      case: 'assignment',
      value: {
        leaseEpoch: this.epoch,
        runId: runId ?? '',
        command: command ?? '',
        number: Number(number),
        configJson: '{}',
        contextJson: '{"clones":[]}',
        timeoutMs: 60_000n,
        ...assignment,
      },
    });
  }

  /** Waits until `find` gives something, looking again whenever something arrives. */
  async until<T>(find: () => T | undefined | false, limitMs = 15_000): Promise<T> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const found = find();
      if (found !== undefined && found !== false) return found;
      const left = deadline - performance.now();
      if (left <= 0) {
        const cases = this.received
          .filter(({ case: name }) => name !== 'heartbeat')
          .map(({ case: name }) => name);
        throw new Error(`${find.toString()} did not come true; received: ${cases.join(', ')}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 50));
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  attached(count = 1): Promise<Attachment> {
    return this.until(() => this.attachments.length >= count && this.attachment);
  }

  reports(
    attemptId: string,
  ): { state: string; output: unknown; error: ErrorJson | undefined; leaseEpoch: bigint }[] {
    return this.received.flatMap((message) =>
      message.case === 'report' && message.value.attemptId === attemptId
        ? [
            {
              state: message.value.state,
              output:
                message.value.outputJson === ''
                  ? undefined
                  : (JSON.parse(message.value.outputJson) as unknown),
              error:
                message.value.errorJson === ''
                  ? undefined
                  : (JSON.parse(message.value.errorJson) as ErrorJson),
              leaseEpoch: message.value.leaseEpoch,
            },
          ]
        : [],
    );
  }

  report(attemptId: string, limitMs?: number): Promise<ReturnType<TestGateway['reports']>[number]> {
    return this.until(() => this.reports(attemptId)[0], limitMs);
  }

  count(name: Incoming['case']): number {
    return this.received.filter((message) => message.case === name).length;
  }

  #routes(router: ConnectRouter): void {
    router.service(WorkerService, {
      attach: (requests, context) => this.#attach(requests, context),
      putArtifact: (requests, context) => {
        this.#authorize(context);
        return this.#put(requests);
      },
      getArtifact: async function* (this: TestGateway, request: { artifactId: string }) {
        yield* this.#get(request.artifactId);
      }.bind(this),
      record: (request, context) => {
        this.#authorize(context);
        return this.#record(request);
      },
    });
  }

  async *#attach(
    requests: AsyncIterable<AttachRequest>,
    context: HandlerContext,
  ): AsyncGenerator<AttachResponse> {
    this.#authorize(context);
    const out = new Outbox<AttachResponse>();
    const send = (message: Outgoing): void => out.push(create(AttachResponseSchema, { message }));
    context.signal.addEventListener('abort', () => out.close());
    void this.#listen(requests, send, () => out.close()).catch(() => out.close());
    yield* out;
  }

  async #listen(
    requests: AsyncIterable<AttachRequest>,
    send: Attachment['send'],
    end: () => void,
  ): Promise<void> {
    for await (const { message } of requests) {
      this.#receive(message, send, end);
      for (const wake of this.#waiting.splice(0)) wake();
    }
    end();
  }

  #receive(message: Incoming, send: Attachment['send'], end: () => void): void {
    this.received.push(message);
    const { script } = this;
    switch (message.case) {
      case 'hello': {
        const answer = script.welcome?.(message.value, this.epoch) ?? {};
        if ('code' in answer) {
          send({ case: 'refused', value: { errorJson: JSON.stringify(answer) } });
          end();
          return;
        }
        send({
          case: 'welcome',
          value: {
            workerId: message.value.workerId,
            leaseEpoch: this.epoch,
            leaseMs: script.leaseMs ?? 10_000,
            heartbeatMs: script.heartbeatMs ?? 1000,
            ...answer,
          },
        });
        this.attachments.push({ hello: message.value, send, end });
        return;
      }
      case 'heartbeat':
        if (script.renews?.() ?? true)
          send({ case: 'renewed', value: { leaseEpoch: message.value.leaseEpoch } });
        return;
      case 'report':
        if (script.stores?.(message.value) ?? true)
          send({ case: 'stored', value: { attemptId: message.value.attemptId } });
        return;
      default:
        return;
    }
  }

  async #put(requests: AsyncIterable<PutArtifactRequest>) {
    const chunks: Uint8Array[] = [];
    const hash = createHash('sha256');
    let header: { draftJson: string; bytes: bigint; sha256: string } | undefined;
    for await (const { part } of requests) {
      if (part.case === 'header') header = part.value;
      if (part.case === 'chunk') {
        chunks.push(part.value);
        hash.update(part.value);
      }
    }
    const content = Buffer.concat(chunks);
    if (!header || hash.digest('hex') !== header.sha256 || content.length !== Number(header.bytes)) {
      throw toConnectError(new OttoError('ARTIFACT_DAMAGED', 'the file does not fit its header'));
    }
    const draft = JSON.parse(header.draftJson) as Omit<StoredArtifact, 'id' | 'bytes' | 'sha256'>;
    const artifact = { ...draft, id: newId('art'), bytes: content.length, sha256: header.sha256 };
    this.artifacts.set(artifact.id, { artifact, content });
    return create(PutArtifactResponseSchema, { artifactJson: JSON.stringify(artifact) });
  }

  *#get(id: string) {
    const stored = this.artifacts.get(id);
    if (!stored) throw toConnectError(new OttoError('NOT_FOUND', `no artifact ${id}`));
    yield create(GetArtifactResponseSchema, {
      part: { case: 'artifactJson', value: JSON.stringify(stored.artifact) },
    });
    for (let at = 0; at < stored.content.length; at += 65_536) {
      yield create(GetArtifactResponseSchema, {
        part: { case: 'chunk', value: stored.content.subarray(at, at + 65_536) },
      });
    }
  }

  #record(request: RecordRequest) {
    try {
      const { action, attemptId, leaseEpoch } = request;
      const body: unknown = JSON.parse(request.bodyJson);
      const answer = this.script.record?.(request) ?? defaultAnswer(action, body);
      this.records.push({ action, attemptId, leaseEpoch, body });
      return create(RecordResponseSchema, { bodyJson: JSON.stringify(answer) });
    } catch (error) {
      throw toConnectError(error);
    } finally {
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }

  #authorize(context: HandlerContext): void {
    const expected = `Bearer ${this.script.token ?? 'secret'}`;
    if (context.requestHeader.get('authorization') !== expected) {
      throw new ConnectError('the token is not known', Code.Unauthenticated);
    }
  }
}

function defaultAnswer(action: string, body: unknown): unknown {
  if (action !== 'intend_changes') return {};
  const { changes } = body as { changes: object[] };
  return { changes: changes.map((change) => ({ id: newId('chg'), ...change })) };
}
