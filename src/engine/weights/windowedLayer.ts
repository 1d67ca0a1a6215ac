import type { Component } from '../../model/head';
import type { HeldLayer } from './heldLayer';

/** A window of attention: which matrix of weights is each head's, and which positions its rows and columns are; −1 for padding. */
export interface AttentionWindow {
  readonly matrices: readonly number[];
  readonly queries: Int32Array;
  readonly keys: Int32Array;
}

/** What a layer of windows is made of: `weights[(matrix * rows + row) * columns + column]`, rows and columns of one window. */
export interface WindowedWeights {
  readonly numHeads: number;
  readonly numQueries: number;
  readonly numKeys: number;
  readonly windows: readonly AttentionWindow[];
  readonly weights: Float32Array;
}

/** A layer whose attention is within windows, of which each is held by itself: what lies between windows is not read, and zero. */
export class WindowedLayer implements HeldLayer {
  readonly held = 'whole';
  readonly component: Component;
  readonly numHeads: number;
  readonly numQueries: number;
  readonly numKeys: number;
  /** What it is made of. */
  readonly windowed: WindowedWeights;
  /** The window and the row in it of each query; −1 where it is in none. */
  readonly #windowOf: Int32Array;
  readonly #rowOf: Int32Array;

  constructor(component: Component, windowed: WindowedWeights) {
    const { numHeads, numQueries, numKeys, windows } = windowed;
    this.component = component;
    this.windowed = windowed;
    this.numHeads = numHeads;
    this.numQueries = numQueries;
    this.numKeys = numKeys;
    this.#windowOf = new Int32Array(numQueries).fill(-1);
    this.#rowOf = new Int32Array(numQueries);
    windows.forEach(({ queries }, window) => {
      queries.forEach((position, row) => {
        if (position < 0) return;
        this.#windowOf[position] = window;
        this.#rowOf[position] = row;
      });
    });
  }

  get bytes(): number {
    return this.windowed.weights.byteLength;
  }

  async rows(head: number, from: number, to: number): Promise<Float32Array> {
    const { numKeys } = this;
    const { windows, weights } = this.windowed;
    const placed = new Float32Array((to - from) * numKeys);
    for (let query = from; query < to; query++) {
      const window = windows[this.#windowOf[query]];
      if (window === undefined) continue;
      const { keys, queries, matrices } = window;
      const start = (matrices[head] * queries.length + this.#rowOf[query]) * keys.length;
      const row = (query - from) * numKeys;
      for (let column = 0; column < keys.length; column++)
        if (keys[column] >= 0) placed[row + keys[column]] = weights[start + column];
    }
    return placed;
  }

  async column(head: number, key: number): Promise<Float32Array> {
    const { windows, weights } = this.windowed;
    const placed = new Float32Array(this.numQueries);
    for (const { keys, queries, matrices } of windows) {
      const column = keys.indexOf(key);
      if (column < 0) continue;
      const start = matrices[head] * queries.length;
      for (let row = 0; row < queries.length; row++)
        if (queries[row] >= 0) placed[queries[row]] = weights[(start + row) * keys.length + column];
    }
    return placed;
  }
}
