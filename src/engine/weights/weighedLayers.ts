import type { MethodId } from '../../model/methods';
import { WholeLayer, type HeldLayer } from './heldLayer';
import type { HeadRows } from './headTensors';
import { rollout } from './rollout';

/** What a layer's keys weigh beside its weights; each otherwise, in a clause, why it cannot be had. */
export interface LayerWeighing {
  readonly values: HeadRows | string;
  /** ‖v_j W_O‖: `norms[head * numKeys + key]`. */
  readonly norms: Float32Array | string;
  /** The projection that norms are behind: `weight[feature * numOut + at]`. */
  readonly projection: { readonly numOut: number; readonly weight: Float32Array } | undefined;
}

/** Layers as a method weighs them; otherwise, in a clause, why it cannot be had of them. */
export async function weighLayers(
  method: MethodId,
  layers: readonly HeldLayer[],
  weighings: readonly (LayerWeighing | undefined)[],
): Promise<readonly HeldLayer[] | string> {
  if (method === 'attention') return layers;
  if (method === 'rollout' || method === 'rolloutUniform') {
    if (layers.some(({ numQueries, numKeys }) => numQueries !== numKeys))
      return 'its layers have queries and keys of different lengths';
    return rollout(layers, method === 'rolloutUniform');
  }
  const made: HeldLayer[] = [];
  for (const [i, layer] of layers.entries()) {
    if (layer.numHeads === 0) {
      made.push(layer);
      continue;
    }
    const weighing = weighings[i];
    if (weighing === undefined)
      return 'it can be had only of models of one stack, of texts whose attention is held whole';
    const weighed = await weighLayer(method, layer, weighing);
    if (typeof weighed === 'string') return weighed;
    made.push(weighed);
  }
  return made;
}

async function weighLayer(
  method: MethodId,
  layer: HeldLayer,
  { values, norms, projection }: LayerWeighing,
): Promise<HeldLayer | string> {
  if (typeof values === 'string') return values;
  if (method === 'value') return scaled(layer, lengths(values));
  if (typeof norms === 'string') return norms;
  if (method === 'norm') return scaled(layer, norms);
  return projection === undefined ? 'its projection is not told' : summed(layer, values, projection);
}

function lengths({ numHeads, numPositions, width, data }: HeadRows): Float32Array {
  return Float32Array.from({ length: numHeads * numPositions }, (_, i) =>
    Math.hypot(...data.subarray(i * width, (i + 1) * width)),
  );
}

/** Each key's column times a number: per head, α_ij ‖f(x_j)‖ = ‖α_ij f(x_j)‖. */
async function scaled(layer: HeldLayer, factors: Float32Array): Promise<WholeLayer> {
  const { component, numHeads, numQueries, numKeys } = layer;
  const weights = new Float32Array(numHeads * numQueries * numKeys);
  for (let head = 0; head < numHeads; head++) {
    const rows = await layer.rows(head, 0, numQueries);
    const from = head * numQueries * numKeys;
    for (let i = 0; i < rows.length; i++) weights[from + i] = rows[i] * factors[head * numKeys + (i % numKeys)];
  }
  return new WholeLayer(component, numHeads, numQueries, numKeys, weights);
}

/** ‖Σ_h α_ij^h f_j^h‖² = aᵀ G_j a with a_h = α_ij^h and G_j[h, h'] = ⟨f_j^h, f_j^{h'}⟩: for each key one matrix as wide as there are heads. */
async function summed(
  layer: HeldLayer,
  values: HeadRows,
  { numOut, weight }: { readonly numOut: number; readonly weight: Float32Array },
): Promise<WholeLayer> {
  const { component, numHeads, numQueries, numKeys } = layer;
  const { width, data, numPositions } = values;
  const heads: Float32Array[] = [];
  // A row is a view into what is held, and is not changed.
  for (let head = 0; head < numHeads; head++) heads.push(await layer.rows(head, 0, numQueries));
  const weights = new Float32Array(numQueries * numKeys);
  const written = new Float64Array(numHeads * numOut);
  const gram = new Float64Array(numHeads * numHeads);
  for (let key = 0; key < numKeys; key++) {
    written.fill(0);
    for (let head = 0; head < numHeads; head++)
      for (let i = 0; i < width; i++) {
        const value = data[(head * numPositions + key) * width + i];
        const at = (head * width + i) * numOut;
        for (let to = 0; to < numOut; to++) written[head * numOut + to] += value * weight[at + to];
      }
    for (let a = 0; a < numHeads; a++)
      for (let b = 0; b <= a; b++) {
        let sum = 0;
        for (let to = 0; to < numOut; to++) sum += written[a * numOut + to] * written[b * numOut + to];
        gram[a * numHeads + b] = gram[b * numHeads + a] = sum;
      }
    for (let query = 0; query < numQueries; query++) {
      let square = 0;
      for (let a = 0; a < numHeads; a++) {
        const share = heads[a][query * numKeys + key];
        if (share !== 0)
          for (let b = 0; b < numHeads; b++) square += share * heads[b][query * numKeys + key] * gram[a * numHeads + b];
      }
      weights[query * numKeys + key] = Math.sqrt(Math.max(0, square));
    }
  }
  return new WholeLayer(component, 1, numQueries, numKeys, weights);
}
