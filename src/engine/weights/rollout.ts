import { Turns } from '../../base/turns';
import type { Component } from '../../model/head';
import type { PatternShape } from '../../model/pattern';
import { WholeLayer, type HeldLayer } from './heldLayer';

/** Products of matrices take the third power of the tokens: of so many, a dozen layers take some seconds. */
export const mostRolledTokens = 1024;
/** A weight of less is what a finite mask leaves (−80 some 10⁻³⁵, Swin's −100 some 10⁻⁴⁴ where the runtime has numbers so small): its key may not be read. */
const leastRead = 1e-30;

/**
 * Attention rollout (Abnar & Zuidema 2020, eq. 1): Ã = ½ mean_h A + ½ I with each row divided by its sum, R_l = Ã_l R_{l−1}, R_0 = I. A matrix for each
 * layer, [position, input position], as a layer of one head. Rows of a sink or a gate, which do not sum to one, are divided too. Layers whose queries and keys differ in number have none. Throws the signal's reason.
 * @param isUniform whether each query reads all keys alike that some head of the layer gives it any weight that a mask does not leave: the baseline.
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
    const now = before === undefined ? mixed : await product(mixed, before, [n, n, n], turns);
    results.push(oneHead(component, { numQueries: n, numKeys: n }, now));
    before = now;
  }
  return results;
}

/** The attention of an encoder–decoder model, each in the order of its layers. */
export interface DecoderLayers {
  readonly encoder: readonly HeldLayer[];
  readonly decoder: readonly HeldLayer[];
  readonly cross: readonly HeldLayer[];
}

/**
 * Rollout through cross-attention: what a token of the target comes to be made of, behind each layer of the decoder, of the target's own tokens (T) and
 * of the source's (S). From [T | S] = [I | 0] on, each layer's self-attention multiplies both by Ã, as in {@link rollout}, and its cross-attention C, which
 * reads what the encoder's rollout R says its output is made of, takes half: [T | S] ← ½ [T | S] + ½ [0 | C̄ R]. Rows of T and S together sum to one. That
 * source and target prefix share a row, and the encoder is multiplied in, is as in Ferrando et al. 2022 (arXiv 2205.11631). Throws the signal's reason.
 */
export async function rolloutThrough(
  { encoder, decoder, cross }: DecoderLayers,
  isUniform = false,
  signal?: AbortSignal,
): Promise<Pick<DecoderLayers, 'decoder' | 'cross'>> {
  const turns = new Turns(signal);
  const read = (await rollout(encoder, isUniform, signal)).filter(({ numHeads }) => numHeads > 0).at(-1);
  if (read === undefined) throw new RangeError('There is no encoder');
  const source = Float64Array.from(await read.rows(0, 0, read.numQueries));
  const numSource = read.numQueries;
  const made = { decoder: [] as HeldLayer[], cross: [] as HeldLayer[] };
  let state: { readonly ofTarget: Float64Array; readonly ofSource: Float64Array } | undefined;
  for (const [i, layer] of decoder.entries()) {
    const across = cross[i];
    if (layer.numHeads === 0 || across === undefined) {
      made.decoder.push(layer);
      if (across !== undefined) made.cross.push(across);
      continue;
    }
    const n = layer.numQueries;
    const mixed = await mixedMean(layer, isUniform);
    const own: Float64Array = state === undefined ? mixed : await product(mixed, state.ofTarget, [n, n, n], turns);
    const before: Float64Array | undefined = state && (await product(mixed, state.ofSource, [n, n, numSource], turns));
    const taken = await product(await meanRows(across, isUniform), source, [n, numSource, numSource], turns);
    state = {
      ofTarget: own.map((share) => share / 2),
      ofSource: taken.map((share, at) => (share + (before?.[at] ?? 0)) / 2),
    };
    made.decoder.push(oneHead(layer.component, { numQueries: n, numKeys: n }, state.ofTarget));
    made.cross.push(oneHead(across.component, { numQueries: n, numKeys: numSource }, state.ofSource));
  }
  return made;
}

/** A matrix of shares as a layer of one head. */
function oneHead(component: Component, shape: PatternShape, shares: Float64Array): WholeLayer {
  return new WholeLayer(component, { numHeads: 1, ...shape, weights: Float32Array.from(shares) });
}

/** mean_h A, or where it is to be uniform 1 ÷ the number of keys that any head reads; rows divided by their sums. */
async function meanRows(layer: HeldLayer, isUniform: boolean): Promise<Float64Array> {
  const { numHeads, numQueries, numKeys } = layer;
  const mean = new Float64Array(numQueries * numKeys);
  for (let head = 0; head < numHeads; head++) {
    const rows = await layer.rows(head, 0, numQueries);
    for (let i = 0; i < mean.length; i++) mean[i] += rows[i];
  }
  if (isUniform) for (let i = 0; i < mean.length; i++) mean[i] = Number(mean[i] > leastRead);
  for (let start = 0; start < mean.length; start += numKeys) {
    const row = mean.subarray(start, start + numKeys);
    const sum = row.reduce((total, value) => total + value, 0);
    if (sum > 0) for (let key = 0; key < numKeys; key++) row[key] /= sum;
  }
  return mean;
}

/** ½ mean_h A + ½ I, rows divided by their sums. */
export async function mixedMean(layer: HeldLayer, isUniform: boolean): Promise<Float64Array> {
  const { numQueries: n, numHeads } = layer;
  const mean = new Float64Array(n * n);
  for (let head = 0; head < numHeads; head++) {
    const rows = await layer.rows(head, 0, n);
    for (let i = 0; i < mean.length; i++) mean[i] += isUniform ? Number(rows[i] > leastRead) : rows[i] / numHeads;
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

/** [rows, inner] × [inner, columns]. */
async function product(
  left: Float64Array,
  right: Float64Array,
  [rows, inner, columns]: readonly [number, number, number],
  turns: Turns,
): Promise<Float64Array> {
  const result = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const factor = left[i * inner + k];
      if (factor !== 0) for (let j = 0; j < columns; j++) result[i * columns + j] += factor * right[k * columns + j];
    }
    if (turns.isDue) await turns.give();
  }
  return result;
}
