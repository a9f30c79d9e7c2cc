import { type RequestOptions, request } from 'node:https';
import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import { checkServerIdentity, rootCertificates } from 'node:tls';

/** What to trust besides the authorities that Node knows. */
export interface Trust {
  /** PEM text. */
  ca?: string;
  /** The name that the certificate must bear, where it is not the URL's host. */
  serverName?: string;
}

export interface HttpsRequest {
  method: string;
  headers: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
}

/** `fetch` over TLS with an authority of one's own, which the built-in one cannot be given. Follows no redirects. */
export async function httpsFetch(url: URL, init: HttpsRequest, trust: Trust): Promise<Response> {
  const { serverName } = trust;
  const options: RequestOptions = {
    method: init.method,
    headers: init.headers,
    ...(init.signal && { signal: init.signal }),
    ...(trust.ca !== undefined && { ca: [...rootCertificates, trust.ca] }),
    ...(serverName !== undefined && {
      ...(isIP(serverName) === 0 && { servername: serverName }),
      checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
    }),
  };
  return await new Promise((resolve, reject) => {
    const sent = request(url, options, (answer) => {
      const status = answer.statusCode ?? 500;
      if (status >= 300 && status < 400) {
        answer.destroy();
        reject(new Error(`it answered with a redirect to ${answer.headers.location ?? 'nowhere'}`));
        return;
      }
      const bodyless = status === 204 || status === 205;
      if (bodyless) answer.resume();
      const body = bodyless ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>);
      const headers = Object.entries(answer.headers).map(([name, value]): [string, string] => [
        name,
        String(value),
      ]);
      resolve(new Response(body, { status, headers }));
    });
    sent.on('error', reject);
    sent.end(init.body);
  });
}
