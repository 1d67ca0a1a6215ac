import { expect } from 'chai';
import type { LayerWeights } from '../../src/engine/session/attentionSession';

/** The largest difference between the rows of two results of one layer, and that of single rows and columns. */
export async function leanDifferences(
  lean: LayerWeights,
  whole: LayerWeights,
): Promise<{ rows: number; vectors: number }> {
  const layer = lean.inParts;
  if (layer === undefined) throw new Error('held whole');
  const { numHeads, numQueries, numKeys, weights } = whole;
  expect([layer.numHeads, layer.numQueries, layer.numKeys]).to.deep.equal([numHeads, numQueries, numKeys]);
  const largest = { rows: 0, vectors: 0 };
  const compare = (name: keyof typeof largest, given: Float32Array, wanted: (i: number) => number): void => {
    given.forEach((weight, i) => {
      const difference = Math.abs(weight - wanted(i));
      if (!(difference <= largest[name])) largest[name] = difference;
    });
  };
  for (let head = 0; head < numHeads; head++) {
    const start = head * numQueries * numKeys;
    const half = numQueries >> 1;
    compare('rows', await layer.rows(head, 0, half), (i) => weights[start + i]);
    compare('rows', await layer.rows(head, half, numQueries), (i) => weights[start + half * numKeys + i]);
    compare('rows', await layer.column(head, 1), (i) => weights[start + i * numKeys + 1]);
    compare('vectors', await layer.rows(head, half, half + 1), (i) => weights[start + half * numKeys + i]);
    compare('vectors', await layer.column(head, 1), (i) => weights[start + i * numKeys + 1]);
  }
  return largest;
}

/** Compares what a layer says of its heads without reading rows, in blocks of so many queries and keys, with its weights. */
export function expectSummaries(
  { inParts }: LayerWeights,
  { numHeads, numQueries, numKeys, weights }: LayerWeights,
  [height, width]: readonly [number, number],
  tolerance: { readonly maxima: number; readonly sums: number },
): void {
  for (let head = 0; head < numHeads; head++) {
    const { pooled, block, columnSums } = inParts?.summary?.(head) ?? {};
    if (pooled === undefined || columnSums === undefined) throw new Error('no summary');
    expect(block).to.deep.equal([height, width]);
    expect([pooled.numQueries, pooled.numKeys]).to.deep.equal([
      Math.ceil(numQueries / height),
      Math.ceil(numKeys / width),
    ]);
    const maxima = new Float32Array(pooled.weights.length);
    const sums = new Float64Array(numKeys);
    weights.subarray(head * numQueries * numKeys, (head + 1) * numQueries * numKeys).forEach((weight, cell) => {
      const at =
        Math.floor(Math.floor(cell / numKeys) / height) * pooled.numKeys + Math.floor((cell % numKeys) / width);
      maxima[at] = Math.max(maxima[at], weight);
      sums[cell % numKeys] += weight;
    });
    pooled.weights.forEach((maximum, at) => expect(maximum).to.be.closeTo(maxima[at], tolerance.maxima));
    columnSums.forEach((sum, key) => expect(sum).to.be.closeTo(sums[key], tolerance.sums));
  }
}
