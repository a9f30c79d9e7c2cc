import { mkdir, readdir, rm } from 'node:fs/promises';
import {
  type Clock,
  formatBytes,
  inside,
  type Logger,
  OttoError,
  readJson,
  writeJson,
} from '../../base/index.js';
import { dropClone, listClones } from '../../postgres/index.js';
import type { CloneRegistry } from '../command.js';

/** What the worker itself remembers of a clone, so that its time to live holds without a control plane. */
interface CloneNote {
  id: string;
  expiresAt?: string;
  /** Set once it is gone and the control plane has yet to hear of it. */
  stopped?: string;
}

export interface CloneKeeperOptions {
  root: string;
  clock: Clock;
  logger: Logger;
  /** True while an attempt of this worker is making or stopping that clone. */
  busy: (id: string) => boolean;
  /** Tells the control plane; rejects where it cannot. */
  reportStopped: (id: string, note: string) => Promise<void>;
}

/**
 * The garbage collector of clones: clears away those the control plane does not want any more and those past their
 * time to live. dropClone of src/postgres refuses whatever does not bear our marker.
 */
export class CloneKeeper {
  readonly #options: CloneKeeperOptions;
  readonly #directory: string;
  readonly #unwanted = new Map<string, string>();
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: CloneKeeperOptions) {
    this.#options = options;
    this.#directory = inside(options.root, 'clone-notes');
  }

  async open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
  }

  /** Before anything is created for it. */
  async started(clone: Parameters<CloneRegistry['started']>[0]): Promise<void> {
    this.#unwanted.delete(clone.id);
    const note: CloneNote = {
      id: clone.id,
      ...(clone.expiresAt !== undefined && { expiresAt: clone.expiresAt }),
    };
    await writeJson(this.#path(clone.id), note);
  }

  /** Its end is stored by the control plane. */
  async forget(id: string): Promise<void> {
    this.#unwanted.delete(id);
    await rm(this.#path(id), { force: true });
  }

  /** Clones of which anything is left here. */
  async ids(): Promise<string[]> {
    const found = new Set((await listClones(this.#options.root)).map(({ id }) => id));
    for (const note of await this.#notes()) if (note.stopped === undefined) found.add(note.id);
    return [...found].sort();
  }

  /** Whether a clone here has a time to live: its end would have no witness without this process. */
  async expire(): Promise<boolean> {
    return (await this.#notes()).some((note) => note.stopped === undefined && note.expiresAt !== undefined);
  }

  /** Marks clones for removal and removes them. */
  async drop(ids: string[], why: string): Promise<void> {
    for (const id of ids) this.#unwanted.set(id, why);
    await this.sweep();
  }

  /** One round; a failure is logged and tried again in the next. Rounds do not overlap. */
  sweep(): Promise<void> {
    this.#sweeping = this.#sweeping.then(() => this.#round());
    return this.#sweeping;
  }

  async #round(): Promise<void> {
    const { clock, logger } = this.#options;
    try {
      const notes = await this.#notes();
      for (const note of notes) {
        if (note.stopped === undefined && note.expiresAt && Date.parse(note.expiresAt) <= clock.now()) {
          this.#unwanted.set(note.id, 'its time to live was over');
        }
      }
      for (const [id, why] of this.#unwanted) await this.#remove(id, why);
      for (const note of await this.#notes()) {
        if (note.stopped !== undefined) await this.#report(note.id, note.stopped);
      }
    } catch (error) {
      logger.error({ err: error }, 'the collector of clones failed');
    }
  }

  async #remove(id: string, why: string): Promise<void> {
    const { root, logger, busy } = this.#options;
    if (busy(id)) return;
    try {
      const { freedBytes } = await dropClone(root, id);
      const note: CloneNote = { id, stopped: `${why}; ${formatBytes(freedBytes)} freed` };
      await writeJson(this.#path(id), note);
      this.#unwanted.delete(id);
      logger.info({ clone: id, freedBytes }, `clone removed: ${why}`);
    } catch (error) {
      logger.error({ err: error, clone: id }, 'a clone could not be removed');
    }
  }

  async #report(id: string, note: string): Promise<void> {
    try {
      await this.#options.reportStopped(id, note);
      await this.forget(id);
    } catch (error) {
      this.#options.logger.warn({ err: error, clone: id }, 'the end of a clone could not be reported yet');
    }
  }

  async #notes(): Promise<CloneNote[]> {
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith('.json'));
    const notes = await Promise.all(names.map((name) => readJson<CloneNote>(inside(this.#directory, name))));
    return notes.filter((note) => note !== undefined);
  }

  #path(id: string): string {
    if (!/^[A-Za-z0-9_-]{1,80}$/.test(id))
      throw new OttoError('BAD_CLONE_ID', `"${id}" is not the id of a clone`);
    return inside(this.#directory, `${id}.json`);
  }
}
