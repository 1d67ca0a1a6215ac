import type { Disposable } from './disposable';

/** How often something is told. */
export interface SparingOptions {
  /** So many are told as they come, in every interval. */
  readonly first: number;
  readonly milliseconds: number;
  /** Tells how many more there were, at the end of an interval. */
  readonly tellCount: (count: number) => void;
}

/** Tells what may come in floods: a few at once, and then how many more came, once in an interval. */
export class Sparing implements Disposable {
  readonly #options: SparingOptions;
  #numTold = 0;
  #numKept = 0;
  #timer: number | undefined;

  constructor(options: SparingOptions) {
    this.#options = options;
  }

  /** Tells it, or counts it: `tell` makes its text only where it is told. */
  tell(tell: () => void): void {
    this.#timer ??= setTimeout(() => this.#endInterval(), this.#options.milliseconds);
    if (this.#numTold < this.#options.first) {
      this.#numTold++;
      tell();
    } else this.#numKept++;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#endInterval();
  }

  #endInterval(): void {
    const count = this.#numKept;
    this.#timer = undefined;
    this.#numTold = 0;
    this.#numKept = 0;
    if (count > 0) this.#options.tellCount(count);
  }
}
