import { OttoError } from '../base/index.js';

/** Any error of the engine as one of ours. */
export function duckDbError(error: unknown, signal?: AbortSignal): OttoError {
  if (error instanceof OttoError) return error;
  if (signal?.aborted) return new OttoError('CANCELLED', 'the query was cancelled', { cause: signal.reason });
  const message = error instanceof Error ? error.message : String(error);
  if (
    /no space left|disk full|failed to (write|offload)|max_temp_directory_size|could not write/i.test(message)
  ) {
    return new OttoError('DISK_FULL', `the disk is full: ${message.split('\n')[0]}`, {
      hint: 'Free space in the folder named, or choose another one.',
      cause: error,
    });
  }
  return new OttoError('DUCKDB_FAILED', message, { cause: error });
}
