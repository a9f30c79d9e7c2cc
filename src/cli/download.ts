import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { formatBytes, InputError, OttoError } from '../base/index.js';
import type { ArtifactView } from './api-types.js';
import type { Call } from './command.js';

/** Downloads an artifact under a temporary name, checks its checksum, then gives it its name. Overwrites nothing. */
export async function downloadArtifact(
  call: Pick<Call<unknown>, 'api' | 'out' | 'signal'>,
  id: string,
  to: string | undefined,
): Promise<void> {
  const { out, signal } = call;
  const api = await call.api();
  const path = `/artifacts/${encodeURIComponent(id)}`;
  const artifact = await api.get<ArtifactView>(path, {}, signal);
  const file = to ?? basename(artifact.name);
  if (file !== '-' && (await isThere(file))) {
    throw new InputError(`${file} exists`, { where: file, hint: 'Name another file with --out.' });
  }
  const response = await api.download(`${path}/content`, signal);
  const hash = createHash('sha256');
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const body = Readable.fromWeb(response.body as WebStream);
  const check = () => {
    if (hash.digest('hex') === artifact.sha256) return;
    throw new OttoError('BAD_CHECKSUM', `what arrived of ${artifact.id} is not what was stored`, {
      transient: true,
    });
  };
  if (file === '-') {
    await pipeline(body, counted, process.stdout, { signal, end: false });
    check();
    return;
  }
  const temporary = `${file}.${process.pid}.part`;
  try {
    await pipeline(body, counted, createWriteStream(temporary, { flags: 'wx' }), { signal });
    check();
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  out.result({ file, bytes: artifact.bytes, sha256: artifact.sha256 }, () =>
    out.line(`${file} (${formatBytes(artifact.bytes)})`),
  );
}

async function isThere(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw new InputError(`${file}: ${error.code}`, { where: file, cause: error });
    },
  );
}
