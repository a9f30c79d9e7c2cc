import { sha256 } from '../base/index.js';

/** The id of the clone that a launch makes: the same for every attempt, so that a second finds the first's remains. */
export function cloneIdOf(key: string): string {
  return `cln_${sha256(key).slice(0, 20)}`;
}
