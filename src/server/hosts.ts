import { hostname, networkInterfaces } from 'node:os';
import { OttoError } from '../base/index.js';
import type { ServerOptions } from './options.js';

const wildcards = new Set(['0.0.0.0', '::']);

/** `localhost` of `localhost:8080`; `::1` of `[::1]:8080`. Lower case, no final dot. */
export function hostOf(header: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(header);
  return (bracketed?.[1] ?? header.replace(/:\d*$/, '')).toLowerCase().replace(/\.$/, '');
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** How a process on this machine reaches a server that is bound to `host`. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/** The names and addresses under which this server answers. */
export function servedNames(options: Pick<ServerOptions, 'host' | 'allowedHosts'>): Set<string> {
  const host = (options.host ?? '127.0.0.1').toLowerCase();
  const names = new Set([host, ...(options.allowedHosts ?? []).map((name) => hostOf(name))]);
  if (isLoopback(host) || wildcards.has(host)) {
    for (const name of ['localhost', '127.0.0.1', '::1']) names.add(name);
  }
  if (wildcards.has(host)) {
    names.add(hostname().toLowerCase());
    for (const addresses of Object.values(networkInterfaces())) {
      for (const { address } of addresses ?? []) names.add(address.toLowerCase());
    }
  }
  return names;
}

/** Refuses what would let strangers in: no TLS towards others, or no tokens towards others. */
export function checkExposure(options: ServerOptions): void {
  const host = options.host ?? '127.0.0.1';
  if (isLoopback(host)) return;
  if (options.open) {
    throw new OttoError('OPEN_MODE_EXPOSED', `without tokens the server may not listen on ${host}`, {
      hint: 'Bind it to 127.0.0.1, or use tokens.',
    });
  }
  if (!options.tls && !options.insecureHttp) {
    throw new OttoError(
      'TLS_NEEDED',
      `tokens would travel in clear: the server may not listen on ${host} without TLS`,
      {
        hint: 'Give --tls-cert and --tls-key, bind to 127.0.0.1, or say --insecure-http when a proxy in front speaks TLS.',
      },
    );
  }
}
