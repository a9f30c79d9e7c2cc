import { type ErrorJson, InputError, OttoError } from '../base/index.js';
import { httpsFetch, type Trust } from './https-fetch.js';
import { readEvents, type ServerEvent } from './server-events.js';

const requestLimitMs = 60_000;
/** The server pings every 15 s: after this long in silence the connection is dead. */
const silenceMs = 45_000;

export type Query = Record<string, string | number | undefined>;

interface Page<T> {
  items: T[];
  next?: string;
}

/** The HTTP API of a control plane. Every failure is an OttoError, with the server's own code where it answered. */
export class ApiClient {
  readonly url: string;
  readonly #token: string | undefined;
  readonly #trust: Trust | undefined;

  constructor(options: { url: string; token?: string; trust?: Trust }) {
    this.url = options.url;
    this.#token = options.token;
    this.#trust = options.trust;
  }

  async get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    return await this.#json<T>('GET', path, { query, ...(signal && { signal }) });
  }

  async post<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    return await this.#json<T>('POST', path, { body, ...(signal && { signal }) });
  }

  async patch<T>(path: string, body: unknown): Promise<T> {
    return await this.#json<T>('PATCH', path, { body });
  }

  async delete<T>(path: string): Promise<T> {
    return await this.#json<T>('DELETE', path, {});
  }

  /** All items of a list, up to `limit`, whatever the size of its pages. */
  async list<T>(path: string, query: Query = {}, limit = 50): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const size = Math.min(500, limit - items.length);
      const page = await this.get<Page<T>>(path, { ...query, limit: size, cursor });
      items.push(...page.items);
      cursor = page.items.length > 0 ? page.next : undefined;
    } while (cursor !== undefined && items.length < limit);
    return items.slice(0, limit);
  }

  /** The body of a download, unread. */
  async download(path: string, signal?: AbortSignal): Promise<Response> {
    const response = await this.#fetch('GET', path, { ...(signal && { signal }) });
    return await this.#checked(response);
  }

  /** Server-sent events until the server ends the stream. Rejects when the connection breaks or falls silent. */
  async *events(
    path: string,
    options: { lastEventId?: string; signal: AbortSignal },
  ): AsyncGenerator<ServerEvent> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), silenceMs);
    try {
      const response = await this.#checked(
        await this.#fetch('GET', path, {
          signal: AbortSignal.any([options.signal, silence.signal]),
          headers: {
            accept: 'text/event-stream',
            ...(options.lastEventId !== undefined && { 'last-event-id': options.lastEventId }),
          },
        }),
      );
      if (response.body) yield* readEvents(response.body, () => timer.refresh());
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof OttoError) throw error;
      throw this.#unreachable(error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #json<T>(
    method: string,
    path: string,
    options: { query?: Query; body?: unknown; signal?: AbortSignal },
  ): Promise<T> {
    const limit = AbortSignal.timeout(requestLimitMs);
    const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
    const response = await this.#checked(await this.#fetch(method, path, { ...options, signal }));
    if (response.status === 204) return undefined as T;
    try {
      return (await response.json()) as T;
    } catch (error) {
      throw new OttoError('BAD_ANSWER', `${this.url}${path} did not answer with JSON`, {
        hint: 'Is this the address of an Ottopilot control plane?',
        cause: error,
      });
    }
  }

  async #fetch(
    method: string,
    path: string,
    options: { query?: Query; body?: unknown; signal?: AbortSignal; headers?: Record<string, string> },
  ): Promise<Response> {
    const url = new URL(`/api/v1${path}`, this.url);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const request = {
      method,
      headers: {
        accept: 'application/json',
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        ...(options.body !== undefined && { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
      ...(options.signal && { signal: options.signal }),
    };
    try {
      if (this.#trust && url.protocol === 'https:') return await httpsFetch(url, request, this.#trust);
      // A redirect could carry the token to another host.
      return await fetch(url, { ...request, redirect: 'error' });
    } catch (error) {
      if ((error as Error).name === 'AbortError') throw error;
      throw this.#unreachable(error);
    }
  }

  async #checked(response: Response): Promise<Response> {
    if (response.ok) return response;
    const text = await response.text().catch(() => '');
    const error = errorIn(text) ?? {
      code: `HTTP_${response.status}`,
      message: `${this.url} answered ${response.status}`,
    };
    const hint =
      error.hint ?? (response.status === 401 ? 'Give a token: OTTO_TOKEN or --token-file.' : undefined);
    const options = { ...error, ...(hint !== undefined && { hint }) };
    // Status 2: what was asked for is wrong, and will be the next time.
    if ([400, 404, 413, 422].includes(response.status)) throw new InputError(error.message, options);
    throw new OttoError(error.code, error.message, options);
  }

  #unreachable(error: unknown): OttoError {
    const timedOut = (error as Error).name === 'TimeoutError';
    const cause = (error as { cause?: { code?: string; message?: string } }).cause;
    const code = cause?.code ?? (error as NodeJS.ErrnoException).code;
    const why = timedOut ? 'it does not answer' : (code ?? cause?.message ?? (error as Error).message);
    if (/CERT|SIGNATURE|ISSUER|ERR_TLS|SELF_SIGNED/.test(code ?? '')) {
      return new OttoError('BAD_CERTIFICATE', `the certificate of ${this.url} is not trusted (${why})`, {
        hint: 'Give the authority that signed it with --tls-ca or OTTO_TLS_CA.',
        cause: error,
      });
    }
    return new OttoError(
      'CONTROL_PLANE_UNREACHABLE',
      `the control plane at ${this.url} cannot be reached (${why})`,
      {
        hint: 'Start it with `otto up`, or name another with --server.',
        transient: true,
        cause: error,
      },
    );
  }
}

function errorIn(text: string): ErrorJson | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: ErrorJson };
    return typeof error?.code === 'string' && typeof error.message === 'string' ? error : undefined;
  } catch {
    // A proxy in between answers in HTML.
    return undefined;
  }
}
