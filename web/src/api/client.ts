import type { ErrorJson, Issue } from './types.js';

export const API = '/api/v1';

export type Query = Record<string, string | number | boolean | undefined>;

/** What the server said went wrong, or that it could not be reached (status 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint?: string;
  readonly where?: string;
  readonly issues: Issue[];

  constructor(status: number, error: ErrorJson) {
    super(error.message);
    this.name = 'ApiError';
    this.status = status;
    this.code = error.code;
    this.hint = error.hint;
    this.where = error.where;
    this.issues = error.issues ?? [];
  }
}

export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  return `${API}${path}${text ? `?${text}` : ''}`;
}

/** A path from parts, each escaped: `path('runs', id, 'cancel')`. */
export function path(...parts: string[]): string {
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

interface RequestOptions {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
}

/** One call of the API. Throws ApiError for every answer that is not 2xx. */
export async function request<T>(method: string, where: string, options: RequestOptions = {}): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (method !== 'GET') headers['x-otto-csrf'] = '1';
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(address(where, options.query), {
      method,
      headers,
      credentials: 'same-origin',
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
      ...(options.signal && { signal: options.signal }),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, {
      code: 'UNREACHABLE',
      message: `${location.host} does not answer.`,
      hint: 'Is the control plane running? Start it with: otto up',
    });
  }
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  const body = parse(text);
  if (!response.ok) throw errorOf(response, body);
  return body as T;
}

export function errorOf(response: Response, body: unknown): ApiError {
  const error = (body as { error?: ErrorJson } | undefined)?.error;
  return new ApiError(
    response.status,
    error?.message
      ? error
      : { code: `HTTP_${response.status}`, message: response.statusText || `HTTP ${response.status}` },
  );
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const get = <T>(where: string, query?: Query, signal?: AbortSignal): Promise<T> =>
  request<T>('GET', where, { ...(query && { query }), ...(signal && { signal }) });
export const post = <T>(where: string, body?: unknown): Promise<T> => request<T>('POST', where, { body });
export const patch = <T>(where: string, body?: unknown): Promise<T> => request<T>('PATCH', where, { body });
export const remove = <T>(where: string): Promise<T> => request<T>('DELETE', where);
