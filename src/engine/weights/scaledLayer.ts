import type { HeldLayer } from './heldLayer';

/** A layer whose keys' columns are each times a number of their head: A_ij f_j, made as it is read. */
export class ScaledLayer implements HeldLayer {
  readonly component: HeldLayer['component'];
  readonly numHeads: number;
  readonly numQueries: number;
  readonly numKeys: number;
  readonly held: HeldLayer['held'];
  readonly #layer: HeldLayer;
  /** Of each head's keys: `factors[head * numKeys + key]`. */
  readonly factors: Float32Array;

  constructor(layer: HeldLayer, factors: Float32Array) {
    if (factors.length !== layer.numHeads * layer.numKeys) throw new RangeError('One number for each key of each head');
    this.component = layer.component;
    this.numHeads = layer.numHeads;
    this.numQueries = layer.numQueries;
    this.numKeys = layer.numKeys;
    this.held = layer.held;
    this.#layer = layer;
    this.factors = factors;
  }

  get bytes(): number {
    return this.factors.byteLength;
  }

  async rows(head: number, from: number, to: number, signal?: AbortSignal): Promise<Float32Array> {
    const { numKeys } = this;
    // What is held is never changed.
    const rows = (await this.#layer.rows(head, from, to, signal)).slice();
    const factors = this.factors.subarray(head * numKeys, (head + 1) * numKeys);
    for (let start = 0; start < rows.length; start += numKeys)
      for (let key = 0; key < numKeys; key++) rows[start + key] *= factors[key];
    return rows;
  }

  async column(head: number, key: number, signal?: AbortSignal): Promise<Float32Array> {
    const column = await this.#layer.column(head, key, signal);
    const factor = this.factors[head * this.numKeys + key];
    return column.map((weight) => weight * factor);
  }
}
