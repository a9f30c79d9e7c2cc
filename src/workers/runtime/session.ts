import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type ErrorJson, OttoError } from '../../base/index.js';
import {
  type AttachRequest,
  AttachRequestSchema,
  type AttachResponse,
  type HelloSchema,
  type Welcome,
} from '../gen/otto/worker/v1/worker_pb.js';
import { fromConnectError } from '../protocol.js';
import type { Link } from './link.js';
import { Outbox } from './outbox.js';

export type Outgoing = NonNullable<MessageInitShape<typeof AttachRequestSchema>['message']>;

/** One Attach stream that was welcomed. */
export interface Session {
  readonly link: Link;
  readonly welcome: Welcome;
  send(message: Outgoing): void;
  /** What the control plane says until the stream ends; a broken connection rejects with a transient error. */
  incoming(): AsyncGenerator<AttachResponse>;
  /** Ends our half: what is queued is still sent. */
  finish(): void;
}

/** The control plane does not want this worker. */
export class Refusal extends Error {
  readonly error: OttoError;

  constructor(error: OttoError) {
    super(error.message);
    this.error = error;
  }
}

const welcomeTimeoutMs = 10_000;

/** Says hello. Throws a Refusal when it is for good, and a transient OttoError when it is worth another try. */
export async function openSession(
  link: Link,
  hello: MessageInitShape<typeof HelloSchema>,
  signal: AbortSignal,
): Promise<Session> {
  const outbox = new Outbox<AttachRequest>();
  const send = (message: Outgoing): void => outbox.push(create(AttachRequestSchema, { message }));
  send({ case: 'hello', value: hello });
  // The link is closed to give up: aborting the call alone would leave its connection behind.
  const giveUp = (): void => link.close();
  const timer = setTimeout(giveUp, welcomeTimeoutMs);
  signal.addEventListener('abort', giveUp);
  try {
    signal.throwIfAborted();
    const responses = link.client.attach(outbox)[Symbol.asyncIterator]();
    const first = await responses.next();
    const welcome = welcomeOf(first.done ? undefined : first.value);
    return {
      link,
      welcome,
      send,
      incoming: () => receive(responses),
      finish: () => outbox.close(),
    };
  } catch (error) {
    outbox.close();
    link.close();
    if (error instanceof Refusal) throw error;
    throw asRefusal(fromConnectError(error));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

function welcomeOf(response: AttachResponse | undefined): Welcome {
  const message = response?.message;
  if (message?.case === 'welcome') return message.value;
  if (message?.case === 'refused') {
    throw refusalOf(message.value.errorJson);
  }
  throw new OttoError(
    'CONTROL_PLANE_UNREACHABLE',
    'the control plane ended the conversation before its welcome',
    {
      transient: true,
    },
  );
}

/** A Refusal, or a transient error where the control plane says so or could not tell. */
export function refusalOf(errorJson: string): Refusal | OttoError {
  const error = OttoError.fromJSON(JSON.parse(errorJson) as ErrorJson);
  return error.transient || error.code === 'INTERNAL' ? error : new Refusal(error);
}

function asRefusal(error: OttoError): Error {
  return error.code === 'TOKEN_REFUSED' || error.code === 'PROTOCOL' ? new Refusal(error) : error;
}

async function* receive(responses: AsyncIterator<AttachResponse>): AsyncGenerator<AttachResponse> {
  try {
    for (;;) {
      const next = await responses.next();
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    throw fromConnectError(error);
  }
}
