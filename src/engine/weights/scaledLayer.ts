import type { HeldLayer } from './heldLayer';
import { LayerView } from './layerView';

/** A layer whose keys' columns are each times a number of their head: A_ij f_j, made as it is read. */
export class ScaledLayer extends LayerView {
  /** Of each head's keys: `factors[head * numKeys + key]`. */
  readonly factors: Float32Array;

  constructor(layer: HeldLayer, factors: Float32Array) {
    super(layer, { bytes: factors.byteLength });
    if (factors.length !== layer.numHeads * layer.numKeys) throw new RangeError('One number for each key of each head');
    this.factors = factors;
  }

  async rows(head: number, from: number, to: number, signal?: AbortSignal): Promise<Float32Array> {
    const { numKeys } = this;
    // What is held is never changed.
    const rows = (await this.layer.rows(head, from, to, signal)).slice();
    const factors = this.factors.subarray(head * numKeys, (head + 1) * numKeys);
    for (let start = 0; start < rows.length; start += numKeys)
      for (let key = 0; key < numKeys; key++) rows[start + key] *= factors[key];
    return rows;
  }

  override async column(head: number, key: number, signal?: AbortSignal): Promise<Float32Array> {
    const column = await this.layer.column(head, key, signal);
    const factor = this.factors[head * this.numKeys + key];
    return column.map((weight) => weight * factor);
  }
}
