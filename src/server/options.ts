/** How the server is reached. */
export interface ServerOptions {
  /** Address to bind both listeners to; the loopback interface when absent. */
  host?: string;
  /** Port of API, web and streams; 0 chooses a free one. */
  port: number;
  /** Port of the worker service (HTTP/2); 0 chooses a free one. */
  workerPort: number;
  /** PEM files; both listeners use them. */
  tls?: { certFile: string; keyFile: string };
  /** Nobody is asked for a token (actor `demo`, role admin). Refused unless bound to the loopback interface. */
  open?: boolean;
  /** Serve plain HTTP on an address that others can reach, as behind a proxy that speaks TLS. */
  insecureHttp?: boolean;
  /** Names under which clients reach this server, besides those it knows itself. */
  allowedHosts?: string[];
  /** Folder of the built web UI. */
  webRoot?: string;
  /** Believe X-Forwarded-For and X-Forwarded-Proto: only behind a proxy that sets them. */
  trustProxy?: boolean;
  limits?: Partial<ServerLimits>;
}

export interface ServerLimits {
  /** Requests a minute of one actor, or of one address without a token. */
  requestsPerMinute: number;
  /** Attempts a minute of one address to open a session. */
  sessionsPerMinute: number;
  /** Failed authentications a minute of one address before it is told 429 instead of 401. */
  failedAuthPerMinute: number;
  /** Event streams of one actor at a time. */
  streamsPerActor: number;
  /** Bytes of a request's body. */
  bodyBytes: number;
  /** Bytes that may wait in a stream that the client does not read, before it is dropped. */
  streamBacklogBytes: number;
  /** Pause between two comments that keep a silent stream alive, ms. */
  streamPingMs: number;
  /** How long a client may leave a full buffer unread before it is dropped, ms. */
  streamUnreadMs: number;
}

export const defaultLimits: ServerLimits = {
  requestsPerMinute: 1_200,
  sessionsPerMinute: 10,
  failedAuthPerMinute: 30,
  streamsPerActor: 24,
  bodyBytes: 2 * 1024 * 1024,
  streamBacklogBytes: 1024 * 1024,
  streamPingMs: 15_000,
  streamUnreadMs: 15_000,
};
