import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';

/** Whether two paths lead to the same place, links followed. */
export async function samePath(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([a, b].map((path) => realpath(path).catch(() => resolve(path))));
  return left === right;
}
