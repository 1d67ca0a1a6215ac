import { signal, type ReadonlySignal } from '@preact/signals';
import type { ExplorerError } from '../../src/base/errors';
import { settle } from './patternStore';

/** After so long what was lit before goes out, though what is lit now has not come. */
const lateAfter = 150;

/** Fetches parts of large matrices for what the pointer is at: from the next frame on, and no longer once it has moved. */
export class RowFetcher {
  readonly #isLate = signal(false);
  readonly #onError: (error: ExplorerError) => void;
  #wanted = new AbortController();
  #frame = 0;
  #timer = 0;

  constructor(onError: (error: ExplorerError) => void) {
    this.#onError = onError;
  }

  /** Whether what is wanted has been missing for so long that what stood before it is misleading. */
  get isLate(): ReadonlySignal<boolean> {
    return this.#isLate;
  }

  /** Wants this, or nothing, and what it wanted before no more. */
  want(request: ((aborted: AbortSignal) => Promise<unknown>) | undefined): void {
    this.#wanted.abort();
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#isLate.value = false;
    if (request === undefined) return;
    this.#wanted = new AbortController();
    const { signal: aborted } = this.#wanted;
    this.#timer = window.setTimeout(() => (this.#isLate.value = true), lateAfter);
    this.#frame = requestAnimationFrame(() => void settle(request(aborted), () => {}, this.#onError));
  }
}
