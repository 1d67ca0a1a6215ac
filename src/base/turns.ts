/** Lets messages in during long work, and ends it where its signal says so: asked often, it gives a turn only when one is due. */
export class Turns {
  readonly #signal: AbortSignal | undefined;
  readonly #milliseconds: number;
  #last = performance.now();

  /** @param milliseconds the longest that the thread is held between two turns, as far as it is asked so often. */
  constructor(signal?: AbortSignal, milliseconds = 20) {
    this.#signal = signal;
    this.#milliseconds = milliseconds;
  }

  /** Whether to call {@link give} now; asking costs next to nothing. */
  get isDue(): boolean {
    return performance.now() - this.#last >= this.#milliseconds;
  }

  /** Lets waiting messages in. Throws the signal's reason where it was aborted. */
  async give(): Promise<void> {
    await new Promise<void>((resolve) => setTimeout(resolve));
    this.#last = performance.now();
    this.#signal?.throwIfAborted();
  }
}
