import { OttoError } from '../base/index.js';
import { type Address, describeAddress } from './url.js';

interface Finding {
  code: string;
  message: string;
  hint: string;
  transient?: boolean;
}

/** What a failed connection means and what can be done about it. The password is in no part of it. */
export function connectError(error: unknown, address: Address): OttoError {
  if (error instanceof OttoError) return error;
  const inner = innermost(error);
  const finding = classify(inner, address);
  return new OttoError(finding.code, `cannot connect to ${describeAddress(address)}: ${finding.message}`, {
    hint: finding.hint,
    where: `${address.host}:${address.port}`,
    cause: inner,
    ...(finding.transient && { transient: true }),
  });
}

/** Node tries every address of a host and then reports all failures at once: the first tells enough. */
function innermost(error: unknown): Error & { code?: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  return error instanceof Error ? error : new Error(String(error));
}

function classify(error: Error & { code?: string }, address: Address): Finding {
  const { message } = error;
  const server = `${address.host}:${address.port}`;
  switch (error.code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return {
        code: 'CONNECT_REFUSED',
        message: `nothing listens on ${server}`,
        hint: 'Start the server, or correct host and port.',
        transient: true,
      };
    case 'EACCES':
      return {
        code: 'CONNECT_REFUSED',
        message: `this account may not use the socket in ${address.host}`,
        hint: 'Run as an account that may enter that folder, or connect through 127.0.0.1.',
      };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        code: 'HOST_UNKNOWN',
        message: `there is no host named ${address.host}`,
        hint: 'Correct the host name, or check name resolution on this machine.',
        transient: error.code === 'EAI_AGAIN',
      };
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return timeout(server);
    case '28P01':
      return {
        code: 'AUTH_FAILED',
        message: `the password of ${address.user} was refused`,
        hint: 'Correct user and password of the connection string.',
      };
    case '28000':
      return {
        code: 'AUTH_FAILED',
        message,
        hint: 'Correct the user, or let this host and user in by pg_hba.conf and reload.',
      };
    case '3D000':
      return {
        code: 'NO_SUCH_DATABASE',
        message: `there is no database ${address.database}`,
        hint: 'Correct the database name at the end of the connection string.',
      };
    case '42501':
      return {
        code: 'NOT_ALLOWED',
        message,
        hint: `Grant ${address.user} CONNECT on database ${address.database}.`,
      };
    case '57P03':
    case '57P01':
    case '57P02':
      return {
        code: 'SERVER_STARTING',
        message,
        hint: 'The server is starting, recovering or stopping: try again shortly.',
        transient: true,
      };
    case '53300':
      return {
        code: 'TOO_MANY_CONNECTIONS',
        message,
        hint: 'Close connections, raise max_connections, or connect through a pooler.',
        transient: true,
      };
    case 'ECONNRESET':
    case 'EPIPE':
      return lost();
  }
  if (/timeout expired|connection timeout/i.test(message)) return timeout(server);
  if (/client password must be a (non-empty )?string/i.test(message)) {
    return {
      code: 'AUTH_FAILED',
      message: `the server asks for a password, and the connection string has none for ${address.user}`,
      hint: 'Write it as postgresql://user:password@host/database.',
    };
  }
  if (/terminated unexpectedly/i.test(message)) return lost();
  if (/does not support SSL|certificate|self[- ]signed|SSL|TLS/i.test(message)) {
    return {
      code: 'TLS_FAILED',
      message,
      hint: 'Set sslmode (disable, prefer, require, verify-ca, verify-full) and sslrootcert to what the server has.',
    };
  }
  return { code: 'CONNECT_FAILED', message, hint: 'See the message of the server.' };
}

function timeout(server: string): Finding {
  return {
    code: 'TIMEOUT',
    message: `${server} did not answer in time`,
    hint: 'Check the address, the network, and firewalls on the way.',
    transient: true,
  };
}

function lost(): Finding {
  return {
    code: 'CONNECTION_LOST',
    message: 'the server closed the connection',
    hint: 'See the log of the server.',
    transient: true,
  };
}
