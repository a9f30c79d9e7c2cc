import type { FastifyReply, FastifyRequest } from 'fastify';
import { InputError, OttoError } from '../base/index.js';
import type { Actor, Control } from '../control/index.js';
import type { Role, TokenRow } from '../store/index.js';
import type { RouteRole } from './api.js';
import { hostOf } from './hosts.js';

const cookieName = 'otto_session';
const cookieOptions = { path: '/', httpOnly: true, sameSite: 'strict' } as const;
const sessionMs = 12 * 3_600_000;
const csrfHeader = 'x-otto-csrf';
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);
const rank: Record<Role, number> = { worker: 0, viewer: 1, operator: 2, admin: 3 };

/** What a session cookie holds, sealed: nothing of it is kept at the server, so any control plane can read it. */
interface Session {
  tokenId: string;
  /** ms since the epoch. */
  expiresAt: number;
}

/** Who calls, and whether they may. */
export class Authentication {
  readonly #control: Control;
  readonly #open: boolean;

  /** `open`: everyone is the actor `demo`. */
  constructor(control: Control, options: { open: boolean }) {
    this.#control = control;
    this.#open = options.open;
  }

  /** Sets `request.actor`. @throws UNAUTHENTICATED, FORBIDDEN, CSRF. */
  async check(request: FastifyRequest, role: RouteRole): Promise<void> {
    checkOrigin(request);
    if (role === 'none') return;
    const { actor, proof } = await this.#identify(request);
    request.actor = actor;
    request.proof = proof;
    if (proof !== 'token') checkCsrf(request, proof === 'cookie');
    if (actor.role === 'worker') {
      throw new OttoError('FORBIDDEN', 'a worker token only opens the worker service', {
        hint: 'Use a token with role viewer, operator or admin.',
      });
    }
    if (rank[actor.role] < rank[role]) {
      throw new OttoError('FORBIDDEN', `this needs role ${role}; "${actor.name}" has ${actor.role}`);
    }
  }

  session(actor: Actor): { actor: string; role: Role; open: boolean } {
    return { actor: actor.name, role: actor.role, open: this.#open };
  }

  /** Sets the session cookie if the token is good for this API. */
  async openSession(token: string, request: FastifyRequest, reply: FastifyReply): Promise<Actor | undefined> {
    const row = await this.#control.tokens.authenticate(token);
    if (!row) return undefined;
    const actor = actorOfToken(row);
    request.actor = actor;
    if (row.role === 'worker') {
      throw new OttoError('FORBIDDEN', 'a worker token only opens the worker service');
    }
    const now = Date.now();
    const expiresAt = Math.min(now + sessionMs, row.expires_at?.getTime() ?? Number.POSITIVE_INFINITY);
    const session: Session = { tokenId: row.id, expiresAt };
    reply.setCookie(cookieName, this.#box.seal(JSON.stringify(session)), {
      ...cookieOptions,
      // Behind a proxy that speaks TLS the connection to us is plain, the browser's is not.
      secure: request.protocol === 'https',
      maxAge: Math.max(1, Math.floor((expiresAt - now) / 1000)),
    });
    return actor;
  }

  closeSession(reply: FastifyReply): void {
    reply.clearCookie(cookieName, cookieOptions);
  }

  async #identify(request: FastifyRequest): Promise<{ actor: Actor; proof: 'token' | 'cookie' | 'open' }> {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
      const row = token === undefined ? undefined : await this.#control.tokens.authenticate(token);
      if (row) return { actor: actorOfToken(row), proof: 'token' };
      throw new OttoError('UNAUTHENTICATED', 'the token is not known, has expired or was revoked');
    }
    const cookie = request.cookies[cookieName];
    const row = cookie === undefined ? undefined : await this.#readSession(cookie);
    if (row) return { actor: actorOfToken(row), proof: 'cookie' };
    if (this.#open) return { actor: { name: 'demo', role: 'admin' }, proof: 'open' };
    throw new OttoError(
      'UNAUTHENTICATED',
      cookie === undefined ? 'a token is needed' : 'the session has ended',
      {
        hint: 'Send "Authorization: Bearer <token>", or open a session with POST /api/v1/session.',
      },
    );
  }

  async #readSession(cookie: string): Promise<TokenRow | undefined> {
    let session: Session;
    try {
      session = JSON.parse(this.#box.open(cookie)) as Session;
    } catch (error) {
      // Not ours, or sealed with a key that was changed: the same as none.
      if (error instanceof OttoError || error instanceof SyntaxError) return undefined;
      throw error;
    }
    if (session.expiresAt <= Date.now()) return undefined;
    return await this.#control.tokens.authenticateId(session.tokenId);
  }

  get #box() {
    return this.#control.secrets.derive('session cookie');
  }
}

/** A browser says where a request comes from: another site's page has no business here, whatever it knows. */
function checkOrigin(request: FastifyRequest): void {
  if (safeMethods.has(request.method)) return;
  const { origin } = request.headers;
  if (origin === undefined) return;
  if (origin !== `${request.protocol}://${request.headers.host}`) {
    throw new OttoError('CSRF', `a request from ${origin.slice(0, 100)} is not accepted here`);
  }
}

/** A form or image of another site can make a browser send the cookie, but not a header of its own. */
function checkCsrf(request: FastifyRequest, originNeeded: boolean): void {
  if (safeMethods.has(request.method)) return;
  if (request.headers[csrfHeader] !== '1') {
    throw new OttoError('CSRF', `the header ${csrfHeader}: 1 is missing`, {
      hint: 'Browser sessions must send it with every change; a Bearer token needs none.',
    });
  }
  if (originNeeded && request.headers.origin === undefined) {
    throw new OttoError('CSRF', 'the Origin header is missing', {
      hint: 'Programs should send a Bearer token instead of a session cookie.',
    });
  }
}

function actorOfToken(row: TokenRow): Actor {
  return { name: row.name, role: row.role };
}

/** A name resolves to whatever its owner likes (DNS rebinding): only names that are ours are served. */
export function checkHost(request: FastifyRequest, names: ReadonlySet<string>): void {
  const host = request.headers.host;
  if (host === undefined) throw new InputError('the Host header is missing');
  if (!names.has(hostOf(host))) {
    throw new OttoError('HOST_NOT_ALLOWED', `this server is not reached as "${host.slice(0, 100)}"`, {
      hint: 'Add the name with --allowed-host.',
    });
  }
}
