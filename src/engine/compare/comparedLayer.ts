import { headLabel, type HeadRef } from '../../model/head';
import type { ComparedView } from '../../model/patternForm';
import type { HeldLayer } from '../weights/heldLayer';
import { LayerView } from '../weights/layerView';
import type { AlignedLayer, UnitAxis } from './alignedLayer';

/** What a layer is compared with, and over which units. */
export interface OtherLayers {
  /** The layers of the other run, over the units of the text that is shown. */
  readonly layers: readonly AlignedLayer[];
  /** The head that stands beside each of this layer's; undefined where none does. */
  readonly others: readonly (HeadRef | undefined)[];
  /** The units of the tokens that are shown, and which of them both texts have. */
  readonly queries: UnitAxis & { readonly isCommon: Uint8Array };
  readonly keys: UnitAxis & { readonly isCommon: Uint8Array };
}

/**
 * A layer of the run that is shown, with what the head beside reads in the other one, at the tokens that both texts have: B, or B − A. What B reads of a
 * unit of several tokens is spread evenly over these. All other cells are zero.
 */
export class ComparedLayer extends LayerView {
  readonly isSigned: boolean;
  readonly #compared: OtherLayers;
  /** How many tokens each unit of the keys has. */
  readonly #counts: Int32Array;

  constructor(layer: HeldLayer, compared: OtherLayers, view: ComparedView) {
    super(layer);
    this.isSigned = view === 'difference';
    this.#compared = compared;
    this.#counts = new Int32Array(compared.keys.numUnits);
    for (const unit of compared.keys.unitOf) this.#counts[unit]++;
  }

  async rows(head: number, from: number, to: number, signal?: AbortSignal): Promise<Float32Array> {
    const { numKeys } = this;
    const { layers, others, queries, keys } = this.#compared;
    const rows = new Float32Array((to - from) * numKeys);
    const other = others[head];
    if (other === undefined || to <= from) return rows;
    const [first, last] = [queries.unitOf[from], queries.unitOf[to - 1] + 1];
    const theirs = await layers[other.layer].rows(other.head, first, last, signal);
    const own = this.isSigned ? await this.layer.rows(head, from, to, signal) : undefined;
    for (let query = from; query < to; query++) {
      const unit = queries.unitOf[query];
      if (queries.isCommon[unit] === 0) continue;
      const start = (query - from) * numKeys;
      const there = (unit - first) * keys.numUnits;
      for (let key = 0; key < numKeys; key++) {
        const of = keys.unitOf[key];
        if (keys.isCommon[of] === 0) continue;
        rows[start + key] = theirs[there + of] / this.#counts[of] - (own?.[start + key] ?? 0);
      }
    }
    return rows;
  }
}

/** The heads beside those of each layer, from pairs of heads. */
export function othersByLayer(
  layers: readonly Pick<HeldLayer, 'numHeads'>[],
  pairs: readonly { readonly head: HeadRef; readonly other: HeadRef }[],
): (HeadRef | undefined)[][] {
  const found = new Map(pairs.map(({ head, other }) => [headLabel(head), other]));
  return layers.map(({ numHeads }, layer) =>
    Array.from({ length: numHeads }, (_, head) => found.get(headLabel({ layer, head }))),
  );
}
