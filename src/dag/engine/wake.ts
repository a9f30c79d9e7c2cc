/** Something to wait on that remembers a call which came before the wait. */
export class Wake {
  #pending = false;
  #resolve: (() => void) | undefined;

  now(): void {
    this.#pending = true;
    this.#resolve?.();
  }

  /** Resolves at the next call of `now`, or at once if there was one since the last wait, or after `ms`. */
  async wait(ms: number): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#resolve = undefined;
    this.#pending = false;
  }
}
