import { Code, ConnectError } from '@connectrpc/connect';
import { type ErrorJson, OttoError } from '../base/index.js';
import type { CloneConnection } from '../store/index.js';
import type { ArtifactRef, CloneAccess, CloneRegistry, OpenChange, TargetAccess } from './command.js';

/** Version of the conversation: a worker and a control plane of different versions do not talk. */
export const workerProtocol = 1;

/** How a finished attempt is reported. */
export type ReportState = 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT';

/** `Assignment.context_json`. */
export interface AssignmentContext {
  target?: TargetAccess;
  /** Clones of the run that are READY. */
  clones: CloneAccess[];
  /** Outputs of the commands that the config names (CommandType.references), by name. */
  outputs?: Record<string, unknown>;
}

/** `GetArtifactResponse.artifact_json`: the reference and what the manifest says. */
export type StoredArtifact = ArtifactRef & { manifest: Record<string, unknown> };

/** `RecordRequest.body_json` and `RecordResponse.body_json` by action. */
export interface RecordActions {
  intend_changes: {
    request: { changes: Omit<OpenChange, 'id'>[]; reason: string };
    response: { changes: OpenChange[] };
  };
  resolve_change: {
    request: { id: string; state: 'RESTORED' | 'KEPT_THEIRS'; note?: string };
    response: Record<string, never>;
  };
  clone_started: { request: Parameters<CloneRegistry['started']>[0]; response: Record<string, never> };
  clone_ready: {
    request: {
      id: string;
      method: string;
      connection: CloneConnection;
      version: string;
      lsn?: string;
      bytes: number;
      seconds: number;
    };
    response: Record<string, never>;
  };
  /** Also sent without an attempt: a clone that the worker's collector has cleared away. */
  clone_stopped: { request: { id: string; note?: string }; response: Record<string, never> };
}

export type RecordAction = keyof RecordActions;

const errorHeader = 'otto-error';

/** An error as the service sends it: code, hint and all travel beside the gRPC status. */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  const ours = OttoError.from(error);
  const metadata = { [errorHeader]: Buffer.from(JSON.stringify(ours)).toString('base64') };
  return new ConnectError(
    ours.message,
    ours.transient ? Code.Unavailable : Code.FailedPrecondition,
    metadata,
  );
}

/** The error that the other side threw; a failure of the connection itself becomes a transient error. */
export function fromConnectError(error: unknown): OttoError {
  if (error instanceof OttoError) return error;
  const connect = ConnectError.from(error);
  const sent = connect.metadata.get(errorHeader);
  if (sent !== null) {
    return OttoError.fromJSON(JSON.parse(Buffer.from(sent, 'base64').toString('utf8')) as ErrorJson);
  }
  switch (connect.code) {
    case Code.Unauthenticated:
    case Code.PermissionDenied:
      return new OttoError('TOKEN_REFUSED', `the control plane refused the token: ${connect.rawMessage}`, {
        hint: 'Make a new token with role "worker", or check that this one is not revoked or expired.',
        cause: error,
      });
    case Code.Canceled:
      return new OttoError('CANCELLED', connect.rawMessage, { cause: error });
    case Code.InvalidArgument:
    case Code.Unimplemented:
    case Code.FailedPrecondition:
      return new OttoError('PROTOCOL', `the control plane answered: ${connect.rawMessage}`, { cause: error });
    default:
      return new OttoError('CONTROL_PLANE_UNREACHABLE', connect.rawMessage, {
        cause: error,
        transient: true,
      });
  }
}

/** True for a failure of the connection, not an answer of the control plane. */
export function isConnectionFailure(error: OttoError): boolean {
  return error.code === 'CONTROL_PLANE_UNREACHABLE';
}
