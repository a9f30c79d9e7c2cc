import { createHash, randomBytes } from 'node:crypto';
import { ulid } from 'ulid';

/** A sortable, unguessable identifier with a readable prefix, such as `run_01k…`. */
export function newId(prefix: string): string {
  return `${prefix}_${ulid().toLowerCase()}`;
}

/** 256 bits, URL-safe, with a prefix that secret scanners can recognise. */
export function newSecret(prefix: string): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`;
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
