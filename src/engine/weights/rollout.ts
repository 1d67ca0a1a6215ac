import { Turns } from '../../base/turns';
import type { HeldLayer } from './heldLayer';
import { WholeLayer } from './heldLayer';

/** Products of matrices take the third power of the tokens: of so many, a dozen layers take some seconds. */
export const mostRolledTokens = 1024;

/**
 * Attention rollout (Abnar & Zuidema 2020, eq. 1): Ã = ½ mean_h A + ½ I with each row divided by its sum, R_l = Ã_l R_{l−1}, R_0 = I. A matrix for each
 * layer, [position, input position], as a layer of one head. Rows of a sink or a gate, which do not sum to one, are divided too. Layers whose queries and keys differ in number have none. Throws the signal's reason.
 * @param isUniform whether each query reads all keys alike that some head of the layer gives it any weight: the baseline.
 */
export async function rollout(
  layers: readonly HeldLayer[],
  isUniform = false,
  signal?: AbortSignal,
): Promise<HeldLayer[]> {
  const results: HeldLayer[] = [];
  const turns = new Turns(signal);
  let before: Float64Array | undefined;
  for (const layer of layers) {
    // Where nothing is held, the others keep their numbers.
    if (layer.numHeads === 0) {
      results.push(layer);
      continue;
    }
    const { numQueries: n, component } = layer;
    if (n !== layer.numKeys || (before !== undefined && before.length !== n * n))
      throw new RangeError('Rollout needs layers of one length');
    const mixed = await mixedMean(layer, isUniform);
    const now = before === undefined ? mixed : await product(mixed, before, n, turns);
    results.push(new WholeLayer(component, 1, n, n, Float32Array.from(now)));
    before = now;
  }
  return results;
}

/** ½ mean_h A + ½ I, rows divided by their sums. */
async function mixedMean(layer: HeldLayer, isUniform: boolean): Promise<Float64Array> {
  const { numQueries: n, numHeads } = layer;
  const mean = new Float64Array(n * n);
  for (let head = 0; head < numHeads; head++) {
    const rows = await layer.rows(head, 0, n);
    for (let i = 0; i < mean.length; i++) mean[i] += isUniform ? Number(rows[i] > 0) : rows[i] / numHeads;
  }
  for (let query = 0; query < n; query++) {
    const row = mean.subarray(query * n, (query + 1) * n);
    if (isUniform) {
      const count = row.reduce((sum, value) => sum + Number(value > 0), 0);
      for (let key = 0; key < n; key++) row[key] = row[key] > 0 ? 1 / count : 0;
    }
    row[query] += 1;
    const sum = row.reduce((total, value) => total + value, 0);
    for (let key = 0; key < n; key++) row[key] /= sum;
  }
  return mean;
}

async function product(left: Float64Array, right: Float64Array, n: number, turns: Turns): Promise<Float64Array> {
  const result = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const factor = left[i * n + k];
      if (factor !== 0) for (let j = 0; j < n; j++) result[i * n + j] += factor * right[k * n + j];
    }
    if (turns.isDue) await turns.give();
  }
  return result;
}
