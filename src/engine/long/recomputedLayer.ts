import { Turns } from '../../base/turns';
import type { Component } from '../../model/head';
import type { HeadSummary, HeldLayer } from '../weights/heldLayer';
import { bandRows } from '../weights/readBlock';
import type { RecomputedRows } from './recomputedRows';

/** A layer of which only queries and keys are held: rows are computed anew when they are asked for. */
export class RecomputedLayer implements HeldLayer {
  readonly held = 'recomputed';
  readonly #rows: RecomputedRows;
  readonly #summaries: readonly HeadSummary[];
  readonly #release: () => void;

  /** @param summaries of each head; none where there are none. @param bytes of what the layer holds for itself. */
  constructor(
    readonly component: Component,
    readonly numQueries: number,
    readonly numKeys: number,
    readonly bytes: number,
    rows: RecomputedRows,
    summaries: readonly HeadSummary[],
    release: () => void,
  ) {
    this.#rows = rows;
    this.#summaries = summaries;
    this.#release = release;
  }

  get numHeads(): number {
    return this.#rows.numHeads;
  }

  async rows(head: number, from: number, to: number, signal?: AbortSignal): Promise<Float32Array> {
    const whole = this.#rows.numKeys;
    if (to - from <= bandRows) {
      signal?.throwIfAborted();
      return cutRows(await this.#rows.rows(head, from, to), whole, this.numKeys);
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
    return this.#summaries[head];
  }

  release(): void {
    this.#release();
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
