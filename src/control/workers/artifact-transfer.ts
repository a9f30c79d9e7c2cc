import { create } from '@bufbuild/protobuf';
import { OttoError } from '../../base/index.js';
import type { ArtifactRow, ArtifactStore, Database } from '../../store/index.js';
import {
  type ArtifactDraft,
  type ArtifactRef,
  type GetArtifactResponse,
  GetArtifactResponseSchema,
  type PutArtifactRequest,
  type PutArtifactResponse,
  PutArtifactResponseSchema,
  type StoredArtifact,
} from '../../workers/index.js';

export interface ArtifactTransferOptions {
  db: Database;
  artifacts: ArtifactStore;
  version: string;
}

/** Files between a worker and the artifact store. */
export class ArtifactTransfer {
  readonly #options: ArtifactTransferOptions;

  constructor(options: ArtifactTransferOptions) {
    this.#options = options;
  }

  async put(parts: AsyncIterable<PutArtifactRequest>): Promise<PutArtifactResponse> {
    const iterator = parts[Symbol.asyncIterator]();
    const first = (await iterator.next()).value as PutArtifactRequest | undefined;
    if (first?.part.case !== 'header')
      throw new OttoError('PROTOCOL', 'an artifact must begin with its header');
    const header = first.part.value;
    const attempt = await this.#options.db
      .selectFrom('attempts')
      .innerJoin('runs', 'runs.id', 'attempts.run_id')
      .select([
        'attempts.run_id',
        'attempts.command',
        'attempts.state',
        'attempts.lease_epoch',
        'runs.target_id',
      ])
      .where('attempts.id', '=', header.attemptId)
      .executeTakeFirst();
    if (attempt?.state !== 'RUNNING' && attempt?.state !== 'ASSIGNED') {
      throw new OttoError(
        'ATTEMPT_ENDED',
        `attempt ${header.attemptId} has ended: its artifact is not wanted`,
      );
    }
    if (attempt.lease_epoch !== Number(header.leaseEpoch)) {
      throw new OttoError('LEASE_LOST', `attempt ${header.attemptId} belongs to another lease`);
    }
    const draft = JSON.parse(header.draftJson) as ArtifactDraft;
    // The same once more: its first answer was lost on the way.
    const known = await this.#options.db
      .selectFrom('artifacts')
      .selectAll()
      .where('run_id', '=', attempt.run_id)
      .where('command', '=', attempt.command)
      .where('name', '=', draft.name)
      .where('sha256', '=', header.sha256)
      .where('deleted_at', 'is', null)
      .executeTakeFirst();
    if (known) {
      for await (const _ of chunks(iterator)) {
        // Read to the end, so that the sender can finish.
      }
      return create(PutArtifactResponseSchema, { artifactJson: JSON.stringify(refOf(known)) });
    }
    const row = await this.#options.artifacts.put(
      chunks(iterator),
      {
        ...draft,
        provenance: {
          ...(attempt.target_id !== null && { targetId: attempt.target_id }),
          runId: attempt.run_id,
          command: attempt.command,
          version: this.#options.version,
        },
      },
      { bytes: Number(header.bytes), sha256: header.sha256 },
    );
    return create(PutArtifactResponseSchema, { artifactJson: JSON.stringify(refOf(row)) });
  }

  async *get(id: string): AsyncIterable<GetArtifactResponse> {
    const { row, stream } = await this.#options.artifacts.open(id);
    const stored: StoredArtifact = { ...refOf(row), manifest: row.manifest };
    yield create(GetArtifactResponseSchema, {
      part: { case: 'artifactJson', value: JSON.stringify(stored) },
    });
    for await (const chunk of stream()) {
      yield create(GetArtifactResponseSchema, { part: { case: 'chunk', value: chunk as Uint8Array } });
    }
  }
}

async function* chunks(iterator: AsyncIterator<PutArtifactRequest>): AsyncIterable<Uint8Array> {
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    if (next.value.part.case !== 'chunk') throw new OttoError('PROTOCOL', 'an artifact has one header');
    yield next.value.part.value;
  }
}

function refOf(row: ArtifactRow): ArtifactRef {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    format: row.format,
    bytes: row.bytes,
    ...(row.rows !== null && { rows: row.rows }),
    sha256: row.sha256,
  };
}
