import { access, constants, type FileHandle, open, readdir, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { freeBytes } from '../../base/index.js';
import type { LogFile, LogSource } from './log-source.js';

/** Reads the log folder of a server on this machine. Files stay open, so that a renamed one is read to its end. */
export class FileLogSource implements LogSource {
  readonly readThrough = 'files';
  readonly #folder: string;
  readonly #open = new Map<string, FileHandle>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async list(): Promise<LogFile[]> {
    const files: LogFile[] = [];
    for (const name of await readdir(this.#folder)) {
      const info = await stat(join(this.#folder, name)).catch(absent);
      if (!info?.isFile()) continue;
      files.push({
        id: `${info.dev}:${info.ino}`,
        name,
        sizeBytes: info.size,
        modifiedMs: info.mtimeMs,
        madeMs: info.birthtimeMs,
      });
    }
    return files;
  }

  async read(file: Pick<LogFile, 'id' | 'name'>, offset: number, length: number): Promise<Uint8Array> {
    const handle = this.#open.get(file.id) ?? (await this.#openFile(file));
    if (!handle) return new Uint8Array();
    const buffer = Buffer.allocUnsafe(length);
    const { bytesRead } = await handle.read(buffer, 0, length, offset);
    return buffer.subarray(0, bytesRead);
  }

  async #openFile(file: Pick<LogFile, 'id' | 'name'>): Promise<FileHandle | undefined> {
    const handle = await open(join(this.#folder, file.name), 'r').catch(absent);
    if (!handle) return undefined;
    const info = await handle.stat();
    if (`${info.dev}:${info.ino}` !== file.id) {
      // Another file has taken the name since it was listed.
      await handle.close();
      return undefined;
    }
    this.#open.set(file.id, handle);
    return handle;
  }

  freeBytes(): Promise<number> {
    return freeBytes(this.#folder);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((handle) => handle.close()));
    this.#open.clear();
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}

/**
 * The log folder, if the server of this data directory is the one that we talk to and its log can be read here;
 * otherwise why not. A path alone proves nothing: another machine has the same paths.
 */
export async function localLogFolder(server: {
  dataDirectory: string | null;
  logDirectory: string;
  port: number;
  startedAt: Date;
}): Promise<{ folder: string } | { why: string }> {
  const { dataDirectory, logDirectory } = server;
  if (dataDirectory === null) return { why: 'the role may not know the data directory' };
  const pidFile = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => undefined);
  if (pidFile === undefined) return { why: 'the data directory cannot be read from here' };
  const lines = pidFile.split('\n');
  const startedSeconds = Number(lines[2]);
  const same =
    Number(lines[3]) === server.port && Math.abs(startedSeconds - server.startedAt.getTime() / 1000) < 60;
  if (!same) return { why: 'the data directory at this path is that of another server' };
  const folder = isAbsolute(logDirectory) ? logDirectory : join(dataDirectory, logDirectory);
  try {
    await access(folder, constants.R_OK | constants.X_OK);
    const [name] = (await readdir(folder)).slice(-1);
    if (name !== undefined) await access(join(folder, name), constants.R_OK);
    return { folder };
  } catch {
    return { why: `this account may not read ${folder}` };
  }
}
