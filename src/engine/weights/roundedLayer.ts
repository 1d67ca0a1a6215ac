import type { Component } from '../../model/head';
import { weightsOf } from '../../model/pattern';
import type { HeadSummary, HeldLayer } from './heldLayer';

/** Half the distance between square roots that bytes stand for. */
const halfStep = 0.5 / 255;
/** Roots and squares are themselves computed in single precision. */
const arithmetic = 1e-6;

/** The weight that each byte b stands for: (b / 255)². */
const decoded = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255) ** 2);

/**
 * The largest difference between a weight in [0, 1] and what its byte stands for, in a layer whose largest byte is given: with
 * r = b / 255 and |√w − r| ≤ h, |w − r²| = |√w − r| · (√w + r) ≤ h · (2r + h); where r is 1, √w is not above it, and h · (2 − h) holds.
 */
export function roundingError(largestByte: number): number {
  const root = largestByte / 255;
  return (largestByte >= 255 ? halfStep * (2 - halfStep) : halfStep * (2 * root + halfStep)) + arithmetic;
}

/** A layer held in 8 bits: a byte b stands for the weight (b / 255)². Exact heads are had by running the model again. */
export class RoundedLayer implements HeldLayer {
  readonly held = 'rounded';
  readonly maxError: number;
  readonly #bytes: Uint8Array;
  readonly #wholeKeys: number;
  readonly #wholeQueries: number;
  readonly #summaries: readonly HeadSummary[];
  readonly #exact: (head: number) => Promise<Float32Array | undefined>;

  /**
   * @param shape of the bytes, `[heads, queries, keys]`, which may be more than the layer's own.
   * @param exact gives all of a head's weights in the shape of the bytes, or undefined where the model is gone.
   */
  constructor(
    readonly component: Component,
    readonly numHeads: number,
    readonly numQueries: number,
    readonly numKeys: number,
    bytes: Uint8Array,
    shape: readonly [number, number],
    summaries: readonly HeadSummary[],
    exact: (head: number) => Promise<Float32Array | undefined>,
  ) {
    this.#bytes = bytes;
    [this.#wholeQueries, this.#wholeKeys] = shape;
    this.#summaries = summaries;
    this.#exact = exact;
    let largest = 0;
    for (const byte of bytes) if (byte > largest) largest = byte;
    this.maxError = roundingError(largest);
  }

  get bytes(): number {
    return this.#bytes.byteLength;
  }

  async rows(head: number, from: number, to: number): Promise<Float32Array> {
    const weights = new Float32Array((to - from) * this.numKeys);
    for (let query = from, at = 0; query < to; query++) {
      const start = (head * this.#wholeQueries + query) * this.#wholeKeys;
      for (let key = 0; key < this.numKeys; key++) weights[at++] = decoded[this.#bytes[start + key]];
    }
    return weights;
  }

  async column(head: number, key: number): Promise<Float32Array> {
    return Float32Array.from(
      { length: this.numQueries },
      (_, query) => decoded[this.#bytes[(head * this.#wholeQueries + query) * this.#wholeKeys + key]],
    );
  }

  async exactVector(
    head: number,
    position: number,
    direction: 'reads' | 'readBy',
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    signal?.throwIfAborted();
    const whole = await this.#exact(head);
    signal?.throwIfAborted();
    if (whole === undefined)
      return direction === 'reads' ? this.rows(head, position, position + 1) : this.column(head, position);
    const vector = weightsOf(
      { numQueries: this.#wholeQueries, numKeys: this.#wholeKeys, weights: whole },
      position,
      direction,
    );
    return vector.subarray(0, direction === 'reads' ? this.numKeys : this.numQueries);
  }

  summary(head: number): HeadSummary | undefined {
    return this.#summaries[head];
  }
}
