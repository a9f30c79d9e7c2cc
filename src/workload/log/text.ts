import { isUtf8 } from 'node:buffer';

const decoder = new TextDecoder('utf-8');

/** Decodes a whole record; bytes that are not UTF-8 (a database in another encoding) become U+FFFD. */
export function decode(bytes: Buffer): { text: string; replaced: boolean } {
  if (isUtf8(bytes)) return { text: bytes.toString('utf8'), replaced: false };
  return { text: decoder.decode(bytes), replaced: true };
}

/** Bytes that arrive in chunks and leave as complete records, without copying a long record again for each chunk. */
export class PendingBytes {
  #parts: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(part: Buffer): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#length += part.length;
  }

  take(last: Buffer): Buffer {
    if (this.#length === 0) return last;
    const whole = Buffer.concat([...this.#parts, last], this.#length + last.length);
    this.#parts = [];
    this.#length = 0;
    return whole;
  }
}
