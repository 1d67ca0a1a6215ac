import { expect } from 'chai';
import type { LayerWeights } from '../../src/engine/attentionSession';

/** The largest difference between the rows of two results of one layer, and that of single rows and columns. */
export async function leanDifferences(lean: LayerWeights, whole: LayerWeights): Promise<{ rows: number; vectors: number }> {
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
    const exact = layer.exactVector?.bind(layer) ?? ((of: number, at: number, direction: string) => (direction === 'reads' ? layer.rows(of, at, at + 1) : layer.column(of, at)));
    compare('vectors', await exact(head, half, 'reads'), (i) => weights[start + half * numKeys + i]);
    compare('vectors', await exact(head, 1, 'readBy'), (i) => weights[start + i * numKeys + 1]);
  }
  return largest;
}
