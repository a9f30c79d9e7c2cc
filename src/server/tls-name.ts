import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/**
 * The name to expect in a certificate that is reached at `host`: undefined where it is made out to `host` itself, else
 * the first name or address that it bears.
 */
export function nameBesides(host: string, pem: Buffer): string | undefined {
  const certificate = new X509Certificate(pem);
  const covers = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host);
  if (covers !== undefined) return undefined;
  const names = (certificate.subjectAltName ?? '').split(', ');
  const first = names
    .map((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1])
    .find((name) => name !== undefined);
  // Any name below it stands for a wildcard.
  return first?.replace(/^\*\./, 'otto.');
}
