import { Random } from './random.js';

/** When the transactions of an open loop are meant to start: ms from the start of the run, never decreasing. */
export function* arrivalTimes(
  ratePerSecond: number,
  spacing: 'poisson' | 'constant',
  seed: number,
): Generator<number, never> {
  const meanMs = 1000 / ratePerSecond;
  const random = new Random(seed, 0xa881);
  let atMs = 0;
  for (let n = 0; ; n++) {
    if (spacing === 'constant') {
      yield n * meanMs;
    } else {
      // Exponential gaps make a Poisson process; 1 − u is never 0.
      atMs += -Math.log(1 - random.float()) * meanMs;
      yield atMs;
    }
  }
}
