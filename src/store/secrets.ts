import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { OttoError } from '../base/index.js';

/** Encrypts what must be kept but never shown (connection strings): AES-256-GCM, a fresh nonce each time. */
export class SecretBox {
  readonly #key: Buffer;

  /** `key`: 32 bytes, base64. */
  constructor(key: string) {
    this.#key = Buffer.from(key, 'base64');
    if (this.#key.length !== 32) {
      throw new OttoError(
        'BAD_SECRET_KEY',
        `the secret key has ${this.#key.length} bytes, expected 32 (base64)`,
        {
          hint: 'Make one with: openssl rand -base64 32',
        },
      );
    }
  }

  static newKey(): string {
    return randomBytes(32).toString('base64');
  }

  /** A box with a key of its own for `purpose`: what one has sealed the other cannot open. */
  derive(purpose: string): SecretBox {
    return new SecretBox(createHmac('sha256', this.#key).update(purpose).digest('base64'));
  }

  seal(plain: string): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    return `v1.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64')}`;
  }

  open(sealed: string): string {
    const bytes = Buffer.from(sealed.replace(/^v1\./, ''), 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(12, 28));
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
    } catch (error) {
      throw new OttoError('SECRET_UNREADABLE', 'a stored secret cannot be decrypted with this key', {
        cause: error,
        hint: 'Start otto with the key that the data was written with (OTTO_SECRET_KEY, or secret.key in the data folder).',
      });
    }
  }
}
