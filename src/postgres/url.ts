import { userInfo } from 'node:os';
import { InputError } from '../base/index.js';

/** What may be shown of a connection string. `host` is a folder (starting with `/`) for a Unix socket. */
export interface Address {
  host: string;
  port: number;
  database: string;
  user: string;
}

/** Where a clone listens; a socket folder wherever the system has Unix sockets. */
export interface CloneConnection extends Address {
  socketDirectory?: string;
}

/** A connection string taken apart. */
export interface ServerUrl extends Address {
  password?: string;
  /** What stands behind the `?`, but for host, port, user and password. */
  parameters: Record<string, string>;
}

const shape =
  'Write postgresql://user:password@host:5432/database, or postgresql:///database?host=/folder/of/socket.';

/**
 * Takes a `postgresql://` (or `postgres://`) URL apart: percent escapes decoded, IPv6 brackets removed, the socket
 * forms (`//%2Fvar%2Frun/db`, `///db?host=/var/run`) understood, defaults filled in as libpq does.
 * @throws InputError. Never repeats the URL, which may hold a password.
 */
export function parseUrl(text: string): ServerUrl {
  if (!/^postgres(ql)?:\/\//.test(text)) {
    throw new InputError('the connection string does not start with postgresql://', { hint: shape });
  }
  let url: URL;
  try {
    // WHATWG URLs refuse a user without a host, which is how libpq writes "the default socket, as this user".
    url = new URL(text.replace(/^(postgres(?:ql)?:\/\/[^/?#]*@)(?=$|[/?])/, '$1%2F'));
  } catch {
    throw new InputError('the connection string is not a valid URL', {
      hint: `${shape} Characters such as @ : / # ? % in a password are written as percent escapes.`,
    });
  }
  const parameters = Object.fromEntries(url.searchParams);
  const {
    host: hostParameter,
    port: portParameter,
    user: userParameter,
    password: passwordParameter,
  } = parameters;
  for (const name of ['host', 'port', 'user', 'password']) delete parameters[name];

  const ownHost = decode(url.hostname.replace(/^\[(.*)\]$/, '$1'), 'host');
  const host = hostParameter ?? (ownHost === '' || ownHost === '/' ? 'localhost' : ownHost);
  if (host.includes(',')) {
    throw new InputError('the connection string names several hosts', {
      hint: 'Name one server: each is a target of its own.',
    });
  }
  const portText = portParameter ?? url.port;
  const port = portText === '' ? 5432 : Number(portText);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new InputError(`the connection string has "${portText}" where a port is expected`, { hint: shape });
  }
  const user = decode(userParameter ?? url.username, 'user') || userInfo().username;
  const password = passwordParameter ?? decode(url.password, 'password');
  const database = decode(url.pathname.replace(/^\//, ''), 'database') || user;
  return { host, port, user, database, ...(password !== '' && { password }), parameters };
}

/**
 * What may be shown of a connection string.
 * @throws InputError where `url` is not a PostgreSQL URL.
 */
export function addressOf(url: string): Address {
  const { host, port, database, user } = parseUrl(url);
  return { host, port, database, user };
}

/** The URL of these parts, everything escaped. */
export function formatUrl(
  parts: Address & { password?: string; parameters?: Record<string, string> },
): string {
  const host = parts.host.includes(':') ? `[${parts.host}]` : encodeURIComponent(parts.host);
  const password = parts.password === undefined ? '' : `:${encodeURIComponent(parts.password)}`;
  const query = new URLSearchParams(parts.parameters ?? {}).toString();
  const path = `${encodeURIComponent(parts.user)}${password}@${host}:${parts.port}/${encodeURIComponent(parts.database)}`;
  return `postgresql://${path}${query === '' ? '' : `?${query}`}`;
}

/** The same server and user, another database. */
export function withDatabase(url: string, database: string): string {
  return formatUrl({ ...parseUrl(url), database });
}

/**
 * How to reach a clone: through its Unix socket, whose folder only we can enter, so that no password is needed.
 * Over TCP (loopback) a clone asks for the password of the role as it was at the source.
 */
export function connectionUrl(connection: CloneConnection, database = connection.database): string {
  return formatUrl({ ...connection, host: connection.socketDirectory ?? connection.host, database });
}

/** `shop on db.example:5432 as app`: for messages. */
export function describeAddress(address: Address): string {
  return `${address.database} on ${address.host}:${address.port} as ${address.user}`;
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InputError(`the ${what} of the connection string has a broken percent escape`, {
      hint: 'Write a percent sign as %25.',
    });
  }
}
