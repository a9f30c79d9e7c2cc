import { constants } from 'node:fs';
import { copyFile, mkdir, open, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { newId, OttoError, type ProgressSink } from '../../base/index.js';
import type { CopyFile, CopyPlan } from './copy-plan.js';

export interface CopyOptions {
  reflink: boolean;
  signal?: AbortSignal;
  /** Called with the bytes done so far. */
  onBytes?: (done: number) => void;
}

export interface Copied {
  /** Of all files, however they were copied. */
  bytes: number;
  /** Of those that were really written; a reflink writes none. */
  copiedBytes: number;
  /** Files that were gone when their turn came. */
  vanished: number;
}

/** Larger files are copied piece by piece, to be cancelled within one and to show progress. */
const wholeBytes = 8 * 1024 * 1024;
const pieceBytes = 4 * 1024 * 1024;
/** More do not help a single disk, and the processors are the server's. */
const workers = 2;

/** Whether the file system of `folder` can share the blocks of `file` with a copy. */
export async function canReflink(file: string, folder: string): Promise<boolean> {
  const probe = join(folder, newId('.reflink'));
  try {
    await copyFile(file, probe, constants.COPYFILE_FICLONE_FORCE);
    await unlink(probe);
    return true;
  } catch {
    await unlink(probe).catch(() => {});
    return false;
  }
}

/** @throws OttoError NO_SPACE when the disk fills up, CANCELLED. */
export async function copyFiles(plan: CopyPlan, options: CopyOptions): Promise<Copied> {
  for (const directory of plan.directories) await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const { path, to } of plan.links) await symlink(to, path);
  const copied: Copied = { bytes: 0, copiedBytes: 0, vanished: 0 };
  const queue = plan.files.values();
  const work = async () => {
    for (const file of queue) await copyOne(file, options, copied);
  };
  const results = await Promise.allSettled(Array.from({ length: workers }, work));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
  return copied;
}

async function copyOne(file: CopyFile, options: CopyOptions, copied: Copied): Promise<void> {
  throwIfCancelled(options.signal);
  const progress = (bytes: number, written: number) => {
    copied.bytes += bytes;
    copied.copiedBytes += written;
    options.onBytes?.(copied.bytes);
  };
  try {
    if (options.reflink && (await reflinked(file))) progress(file.bytes, 0);
    else if (file.bytes <= wholeBytes) {
      await copyFile(file.from, file.to);
      progress(file.bytes, file.bytes);
    } else await copyInPieces(file, options.signal, (bytes) => progress(bytes, bytes));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new OttoError('NO_SPACE', `the disk filled up while ${file.to} was written`, {
        where: file.to,
        cause: error,
        hint: 'Free space, or put the copies on another file system.',
      });
    }
    if (code !== 'ENOENT') throw error;
    await unlink(file.to).catch(() => {});
    copied.vanished += 1;
  }
}

async function reflinked(file: CopyFile): Promise<boolean> {
  try {
    await copyFile(file.from, file.to, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A tablespace may lie on another file system.
    if (code === 'ENOTSUP' || code === 'EXDEV' || code === 'EINVAL' || code === 'ENOSYS') return false;
    throw error;
  }
}

async function copyInPieces(
  file: CopyFile,
  signal: AbortSignal | undefined,
  done: (bytes: number) => void,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(pieceBytes);
  const from = await open(file.from, 'r');
  try {
    const to = await open(file.to, 'w', 0o600);
    try {
      for (let position = 0; ; ) {
        throwIfCancelled(signal);
        const { bytesRead } = await from.read(buffer, 0, pieceBytes, position);
        if (bytesRead === 0) break;
        for (let at = 0; at < bytesRead; ) {
          at += (await to.write(buffer, at, bytesRead - at, position + at)).bytesWritten;
        }
        position += bytesRead;
        done(bytesRead);
      }
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new OttoError('CANCELLED', 'the copy was cancelled', { cause: signal.reason });
}

/** Progress of `total` bytes in the phase `copying`. */
export function copyProgress(total: number, sink: ProgressSink | undefined): (done: number) => void {
  return (done) => sink?.({ phase: 'copying', done, total: Math.max(total, done), unit: 'bytes' });
}
