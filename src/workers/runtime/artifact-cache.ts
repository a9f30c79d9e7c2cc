import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { create } from '@bufbuild/protobuf';
import {
  type Clock,
  digestFile,
  exists,
  formatBytes,
  freeBytes,
  inside,
  OttoError,
  publishFile,
  readJson,
  writeJson,
} from '../../base/index.js';
import type { ArtifactDraft, ArtifactRef } from '../command.js';
import {
  type GetArtifactResponse,
  type PutArtifactRequest,
  PutArtifactRequestSchema,
} from '../gen/otto/worker/v1/worker_pb.js';
import type { StoredArtifact } from '../protocol.js';
import type { WorkerClient } from './link.js';
import type { Uplink } from './uplink.js';

const chunkBytes = 256 * 1024;

interface Held {
  holders: Set<string>;
  lastUse: number;
  ready: Promise<{ path: string; manifest: Record<string, unknown> }>;
}

/**
 * Files from and to the control plane's artifact store. What was fetched stays in `root/artifacts` while an attempt
 * uses it, and a while longer.
 */
export class ArtifactCache {
  readonly #directory: string;
  readonly #uplink: Uplink;
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #closing: AbortSignal;
  readonly #held = new Map<string, Held>();

  constructor(options: { root: string; uplink: Uplink; clock: Clock; idleMs: number; closing: AbortSignal }) {
    this.#directory = inside(options.root, 'artifacts');
    this.#uplink = options.uplink;
    this.#clock = options.clock;
    this.#idleMs = options.idleMs;
    this.#closing = options.closing;
  }

  /** Removes what a process before this one left: it does not know what was in use. */
  async open(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
    await mkdir(this.#directory, { recursive: true });
  }

  async put(
    attempt: { id: string; epoch: () => bigint },
    file: string,
    draft: ArtifactDraft,
    signal: AbortSignal,
  ): Promise<ArtifactRef> {
    const { bytes, sha256 } = await digestFile(file);
    const response = await this.#uplink.call(
      (client) =>
        client.putArtifact(
          parts(file, {
            attemptId: attempt.id,
            leaseEpoch: attempt.epoch(),
            draftJson: JSON.stringify(draft),
            bytes: BigInt(bytes),
            sha256,
          }),
          { signal },
        ),
      signal,
    );
    return JSON.parse(response.artifactJson) as ArtifactRef;
  }

  async get(
    id: string,
    holder: string,
    signal: AbortSignal,
  ): Promise<{ path: string; manifest: Record<string, unknown> }> {
    if (!/^[A-Za-z0-9_-]{1,80}$/.test(id))
      throw new OttoError('BAD_ARTIFACT_ID', `"${id}" is not an artifact id`);
    let held = this.#held.get(id);
    if (held === undefined) {
      held = { holders: new Set(), lastUse: 0, ready: this.#fetch(id, this.#closing) };
      this.#held.set(id, held);
      held.ready.catch(() => this.#held.delete(id));
    }
    held.holders.add(holder);
    held.lastUse = this.#clock.monotonic();
    // A download that several wait for does not end with the first of them.
    return unlessAborted(held.ready, signal);
  }

  /** Says that `holder` needs nothing any more. */
  release(holder: string): void {
    for (const held of this.#held.values()) {
      if (held.holders.delete(holder)) held.lastUse = this.#clock.monotonic();
    }
  }

  /** Deletes what nobody has used for a while. */
  async evict(): Promise<void> {
    const limit = this.#clock.monotonic() - this.#idleMs;
    for (const [id, held] of this.#held) {
      if (held.holders.size > 0 || held.lastUse > limit) continue;
      this.#held.delete(id);
      for (const name of await readdir(this.#directory)) {
        if (name === id || name.startsWith(`${id}.`)) await rm(join(this.#directory, name), { force: true });
      }
    }
  }

  async #fetch(
    id: string,
    signal: AbortSignal,
  ): Promise<{ path: string; manifest: Record<string, unknown> }> {
    const path = inside(this.#directory, id);
    if (!(await exists(path))) {
      const artifact = await this.#uplink.call((client) => this.#download(client, id, path, signal), signal);
      await writeJson(`${path}.manifest`, artifact.manifest);
    }
    return { path, manifest: (await readJson<Record<string, unknown>>(`${path}.manifest`)) ?? {} };
  }

  async #download(
    client: WorkerClient,
    id: string,
    path: string,
    signal: AbortSignal,
  ): Promise<StoredArtifact> {
    const responses = client.getArtifact({ artifactId: id }, { signal })[Symbol.asyncIterator]();
    const artifact = headerOf(id, await responses.next());
    const free = await freeBytes(this.#directory);
    if (free < artifact.bytes) {
      throw new OttoError(
        'NO_SPACE',
        `artifact ${id} has ${formatBytes(artifact.bytes)}, ${this.#directory} has ${formatBytes(free)} free`,
      );
    }
    const partial = `${path}.part`;
    try {
      await pipeline(chunks(responses), createWriteStream(partial, { mode: 0o600 }), { signal });
      const { bytes, sha256 } = await digestFile(partial);
      if (bytes !== artifact.bytes || sha256 !== artifact.sha256) {
        throw new OttoError(
          'ARTIFACT_DAMAGED',
          `artifact ${id} arrived with another checksum than it was stored with`,
          {
            hint: 'Try again; if it stays, the file in the artifact store is damaged.',
          },
        );
      }
      await publishFile(partial, path);
      return artifact;
    } finally {
      await rm(partial, { force: true });
    }
  }
}

async function* parts(
  file: string,
  header: { attemptId: string; leaseEpoch: bigint; draftJson: string; bytes: bigint; sha256: string },
): AsyncGenerator<PutArtifactRequest> {
  yield create(PutArtifactRequestSchema, { part: { case: 'header', value: header } });
  for await (const chunk of createReadStream(file, { highWaterMark: chunkBytes })) {
    yield create(PutArtifactRequestSchema, { part: { case: 'chunk', value: chunk as Buffer } });
  }
}

function headerOf(id: string, first: IteratorResult<GetArtifactResponse>): StoredArtifact {
  if (first.done || first.value.part.case !== 'artifactJson') {
    throw new OttoError('PROTOCOL', `artifact ${id} came without its header`);
  }
  return JSON.parse(first.value.part.value) as StoredArtifact;
}

async function* chunks(responses: AsyncIterator<GetArtifactResponse>): AsyncGenerator<Uint8Array> {
  for (;;) {
    const next = await responses.next();
    if (next.done) return;
    if (next.value.part.case === 'chunk') yield next.value.part.value;
  }
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
