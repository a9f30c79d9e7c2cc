export interface EventuallyOptions {
  /** What is waited for, in words. */
  what: string;
  limitMs?: number;
  everyMs?: number;
  /** Said when it did not happen. */
  state?: () => Promise<string> | string;
}

/** Waits until the probe gives something other than undefined and false. An error of the probe counts as not yet. */
export async function eventually<T>(
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  { what, limitMs = 120_000, everyMs = 20, state }: EventuallyOptions,
): Promise<T> {
  let last: unknown;
  for (const began = performance.now(); performance.now() - began < limitMs; ) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  const seen = state ? `\n${await state()}` : '';
  throw new Error(`not within ${limitMs / 1000} s: ${what}${seen}`, { cause: last });
}
