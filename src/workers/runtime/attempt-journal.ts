import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ErrorJson,
  inside,
  type Logger,
  readJson,
  sha256,
  syncDirectory,
  writeJson,
} from '../../base/index.js';
import type { ReportState } from '../protocol.js';

export interface Outcome {
  state: ReportState;
  output?: unknown;
  error?: ErrorJson;
}

/** What is on disk of an attempt. Neither its config nor its target: those may hold secrets. */
export interface AttemptRecord {
  attemptId: string;
  runId: string;
  command: string;
  number: number;
  type: string;
  state: 'accepted' | 'running' | 'ended';
  outcome?: Outcome;
}

/**
 * One file an attempt, from before it is accepted until its outcome is stored by the control plane: what a worker
 * knows after it was killed.
 */
export class AttemptJournal {
  readonly #directory: string;
  readonly #logger: Logger;

  constructor(root: string, logger: Logger) {
    this.#directory = inside(root, 'attempts');
    this.#logger = logger;
  }

  async load(): Promise<AttemptRecord[]> {
    await mkdir(this.#directory, { recursive: true });
    const records: AttemptRecord[] = [];
    for (const name of await readdir(this.#directory)) {
      if (!name.endsWith('.json')) continue;
      const path = join(this.#directory, name);
      try {
        const record = await readJson<AttemptRecord>(path);
        if (record) records.push(record);
      } catch (error) {
        this.#logger.error({ err: error, path }, 'a damaged attempt file was put aside');
        await rename(path, `${path}.damaged`);
      }
    }
    return records;
  }

  async save(record: AttemptRecord): Promise<void> {
    await writeJson(this.#path(record.attemptId), record);
    await syncDirectory(this.#directory);
  }

  async remove(attemptId: string): Promise<void> {
    await rm(this.#path(attemptId), { force: true });
    await syncDirectory(this.#directory);
  }

  #path(attemptId: string): string {
    return join(this.#directory, `${sha256(attemptId).slice(0, 40)}.json`);
  }
}
