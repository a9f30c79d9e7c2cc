import { formatBytes, freeBytes, OttoError } from '../../base/index.js';

/** A copy needs room to work in: recovery writes, and so does whatever is tried on it. */
const marginBytes = 128 * 1024 * 1024;
const marginShare = 0.05;

/** @throws OttoError NO_SPACE naming what is needed and what is free, before anything is written. */
export async function requireSpace(folder: string, copyBytes: number): Promise<void> {
  const needed = Math.ceil(copyBytes * (1 + marginShare)) + marginBytes;
  const free = await freeBytes(folder);
  if (free >= needed) return;
  throw new OttoError(
    'NO_SPACE',
    `the copy needs ${formatBytes(needed)} (${formatBytes(copyBytes)} and a margin), and ${folder} has ${formatBytes(free)} free`,
    { where: folder, hint: 'Free space there, or put the copies on another file system.' },
  );
}
