import { CsvLogReader } from '../log/csv-log.js';
import { JsonLogReader } from '../log/json-log.js';
import type { LogRecord, RecordReader } from '../log/record.js';
import { inOrder, type LogFile, type LogSource } from './log-source.js';
import type { LogFormat } from './types.js';

interface Followed {
  name: string;
  offset: number;
  reader: RecordReader;
}

const chunkBytes = 1024 * 1024;

/**
 * Follows the log over all its files, by offset. Only one file is written at a time, and a file is written to its end
 * before the next is begun: so whatever is listed before another changed file is complete when that one has bytes.
 */
export class LogTail {
  readonly #source: LogSource;
  readonly #format: LogFormat;
  readonly #suffix: string;
  readonly #files = new Map<string, Followed>();
  #last: string | undefined;
  bytes = 0;
  /** Files that became shorter than what had been read of them. */
  truncations = 0;
  malformed = 0;
  /** Files that ended in the middle of a record. */
  cutOff = 0;
  readonly names = new Set<string>();
  #replacedBefore = 0;

  constructor(source: LogSource, format: LogFormat) {
    this.#source = source;
    this.#format = format;
    this.#suffix = format === 'jsonlog' ? '.json' : '.csv';
  }

  /** Records that held bytes which are not UTF-8. */
  get replaced(): number {
    let sum = this.#replacedBefore;
    for (const { reader } of this.#files.values()) sum += reader.replaced;
    return sum;
  }

  /** Notes where every file ends now: what stands there is not of this capture. */
  async start(): Promise<void> {
    for (const file of await this.#list()) {
      this.#files.set(file.id, this.#follow(file, file.sizeBytes));
      this.#last = file.id;
    }
  }

  /** Reads all that is new. */
  async poll(onRecord: (record: LogRecord) => void, signal?: AbortSignal): Promise<void> {
    const files = await this.#list();
    const listed = new Set(files.map(({ id }) => id));
    for (const [id, file] of this.#files) {
      if (!listed.has(id)) await this.#finish(id, file, onRecord, signal);
    }
    for (const file of files) {
      const known = this.#files.get(file.id);
      const followed = known ?? this.#follow(file, 0);
      this.#files.set(file.id, followed);
      if (file.sizeBytes < followed.offset) {
        this.truncations++;
        this.#replacedBefore += followed.reader.replaced;
        followed.offset = 0;
        followed.reader = this.#reader();
      }
      // The one written last may have grown since it was listed, and must be read out before those after it.
      if (file.sizeBytes > followed.offset || file.id === this.#last) {
        await this.#read(file.id, followed, onRecord, signal);
      }
    }
    this.#last = files.at(-1)?.id;
  }

  /** To be called at the end: records that were begun in a file and never finished, though another followed it. */
  countCutOff(): number {
    let cutOff = this.cutOff;
    for (const [id, { reader }] of this.#files) if (id !== this.#last && reader.pendingBytes > 0) cutOff++;
    return cutOff;
  }

  async #list(): Promise<LogFile[]> {
    const files = await this.#source.list();
    return inOrder(
      files.filter(({ name }) => name.endsWith(this.#suffix)),
      this.#last,
    );
  }

  #follow(file: LogFile, offset: number): Followed {
    return { name: file.name, offset, reader: this.#reader() };
  }

  #reader(): RecordReader {
    return this.#format === 'jsonlog' ? new JsonLogReader() : new CsvLogReader();
  }

  async #read(
    id: string,
    file: Followed,
    onRecord: (record: LogRecord) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      const chunk = await this.#source.read({ id, name: file.name }, file.offset, chunkBytes);
      if (chunk.length === 0) return;
      this.names.add(file.name);
      file.offset += chunk.length;
      this.bytes += chunk.length;
      for (const record of file.reader.push(chunk)) {
        if (record) onRecord(record);
        else this.malformed++;
      }
    }
  }

  /** A file that was renamed or deleted is read to its end where that is still possible. */
  async #finish(
    id: string,
    file: Followed,
    onRecord: (record: LogRecord) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#read(id, file, onRecord, signal);
    if (file.reader.pendingBytes > 0) this.cutOff++;
    this.#replacedBefore += file.reader.replaced;
    this.#files.delete(id);
  }
}
