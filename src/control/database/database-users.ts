import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, newId } from '../../base/index.js';

/**
 * Which processes use the embedded database, as one file each: known from before they connect, unlike anything that
 * the database itself could say, and after a crash still true, because a process that is gone does not count.
 */
export class DatabaseUsers {
  readonly #directory: string;
  readonly #own: string;

  constructor(dataDirectory: string) {
    this.#directory = join(dataDirectory, 'postgres.users');
    this.#own = `${process.pid}-${newId('use')}`;
  }

  async join(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    await writeFile(join(this.#directory, this.#own), '');
  }

  /** True for the last one. */
  async leave(): Promise<boolean> {
    await rm(join(this.#directory, this.#own), { force: true });
    let last = true;
    for (const name of await readdir(this.#directory)) {
      if (isAlive(Number(name.split('-')[0]))) last = false;
      else await rm(join(this.#directory, name), { force: true });
    }
    return last;
  }
}
