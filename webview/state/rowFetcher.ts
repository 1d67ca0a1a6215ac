import { signal, type ReadonlySignal } from '@preact/signals';
import type { ExplorerError } from '../../src/base/errors';
import type { Direction } from '../../src/model/pattern';
import type { RemoteMatrix } from './matrixData';
import { settle } from './patternStore';

/** After so long what was lit before goes out, though what is lit now has not come. */
const lateAfter = 150;

/** Whose weights are wanted. */
export interface RowPlace {
  readonly position: number;
  readonly direction: Direction;
}

/** Fetches rows of large matrices for what the pointer is at: from the next frame on, and no longer once it has moved. */
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

  /** Wants these rows of a matrix, or none, and no others any more. */
  want(matrix: RemoteMatrix | undefined, places: readonly RowPlace[]): void {
    this.#wanted.abort();
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#isLate.value = false;
    const missing = places.filter(({ position, direction }) => matrix?.heldRow(position, direction) === undefined);
    if (matrix === undefined || missing.length === 0) return;
    this.#wanted = new AbortController();
    const { signal: aborted } = this.#wanted;
    this.#timer = window.setTimeout(() => (this.#isLate.value = true), lateAfter);
    this.#frame = requestAnimationFrame(() => void settle(Promise.all(missing.map(({ position, direction }) => matrix.fetchRow(position, direction, aborted))), () => {}, this.#onError));
  }
}
