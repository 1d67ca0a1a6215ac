import { Turns } from '../../base/turns';
import type { Component } from '../../model/head';
import type { HeadSummary, HeldLayer } from '../weights/heldLayer';
import { bandRows } from '../weights/readBlock';

/** What computes rows of a layer's heads anew. */
export interface Rows {
  readonly numHeads: number;
  readonly numKeys: number;
  /** Rows [from, to) of a head: `weights[(query - from) * numKeys + key]`, perhaps a view. Throws `outOfMemory` or `runtimeFailed`. */
  rows(head: number, from: number, to: number): Promise<Float32Array>;
}

interface LayerParts extends Pick<HeldLayer, 'component' | 'numQueries' | 'numKeys' | 'bytes'> {
  readonly rows: Rows;
  /** Of each head; none where there are none. */
  readonly summaries: readonly HeadSummary[];
  onRelease(this: void): void;
}

/** A layer of which less than its weights is held: rows are computed anew when they are asked for. */
export class RecomputedLayer implements HeldLayer {
  readonly held = 'recomputed';
  readonly component: Component;
  readonly numQueries: number;
  readonly numKeys: number;
  readonly bytes: number;
  readonly #parts: LayerParts;

  constructor(parts: LayerParts) {
    ({ component: this.component, numQueries: this.numQueries, numKeys: this.numKeys, bytes: this.bytes } = parts);
    this.#parts = parts;
  }

  get numHeads(): number {
    return this.#parts.rows.numHeads;
  }

  async rows(head: number, from: number, to: number, signal?: AbortSignal): Promise<Float32Array> {
    const whole = this.#parts.rows.numKeys;
    if (to - from <= bandRows) {
      signal?.throwIfAborted();
      return cutRows(await this.#parts.rows.rows(head, from, to), whole, this.numKeys);
    }
    const turns = new Turns(signal);
    const weights = new Float32Array((to - from) * this.numKeys);
    for (let at = from; at < to; at += bandRows) {
      weights.set(await this.rows(head, at, Math.min(to, at + bandRows), signal), (at - from) * this.numKeys);
      if (turns.isDue) await turns.give();
    }
    return weights;
  }

  /** Every row of the head is computed for it. */
  async column(head: number, key: number, signal?: AbortSignal): Promise<Float32Array> {
    const turns = new Turns(signal);
    const column = new Float32Array(this.numQueries);
    for (let from = 0; from < this.numQueries; from += bandRows) {
      const rows = await this.rows(head, from, Math.min(this.numQueries, from + bandRows), signal);
      for (let row = 0; row * this.numKeys < rows.length; row++) column[from + row] = rows[row * this.numKeys + key];
      if (turns.isDue) await turns.give();
    }
    return column;
  }

  summary(head: number): HeadSummary | undefined {
    return this.#parts.summaries[head];
  }

  release(): void {
    this.#parts.onRelease();
  }
}

/** The first `width` numbers of each row. */
function cutRows(weights: Float32Array, whole: number, width: number): Float32Array {
  if (width === whole) return weights;
  const numRows = weights.length / whole;
  const cut = new Float32Array(numRows * width);
  for (let row = 0; row < numRows; row++) cut.set(weights.subarray(row * whole, row * whole + width), row * width);
  return cut;
}
