import { OttoError } from '../../base/index.js';

/** A violated unique name as a sentence; any other error as it is. */
export function nameTaken(error: unknown, what: string, name: string): unknown {
  if ((error as { code?: unknown }).code !== '23505') return error;
  return new OttoError('NAME_TAKEN', `there is already a ${what} named "${name}"`, {
    hint: 'Choose another name, or remove the other one first.',
    cause: error,
  });
}
