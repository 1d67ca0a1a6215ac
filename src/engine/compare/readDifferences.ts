import { Turns } from '../../base/turns';
import { DifferenceSums, type CommonUnits, type HeadDifference } from '../../model/compare/headDifference';
import { HeadMatcher, type HeadMatch } from '../../model/compare/matchHeads';
import { bandRows } from '../weights/readBlock';
import type { AlignedLayer } from './alignedLayer';

/** A head of layers, by its layer and its own index. */
export interface LayerHead {
  readonly layer: number;
  readonly head: number;
}

/** A head of B, and how far it is from the one of A that it is nearest to. */
export type MatchedHead = LayerHead & Pick<HeadMatch, 'jensenShannon'>;

/** How far heads of B are from heads of A, pair by pair, all layers over the same units. Throws the signal's reason. */
export async function readDifferences(
  a: readonly AlignedLayer[],
  b: readonly AlignedLayer[],
  {
    pairs,
    common,
  }: { readonly pairs: readonly (readonly [a: LayerHead, b: LayerHead])[]; readonly common: CommonUnits },
  signal?: AbortSignal,
): Promise<HeadDifference[]> {
  const turns = new Turns(signal);
  const results: HeadDifference[] = [];
  for (const [own, other] of pairs) {
    const [layerA, layerB] = [a[own.layer], b[other.layer]];
    const { numQueries, numKeys } = layerA;
    const sums = new DifferenceSums(common);
    for (let from = 0; from < numQueries; from += bandRows) {
      const to = Math.min(numQueries, from + bandRows);
      const rowsA = await layerA.rows(own.head, from, to, signal);
      const { rows: rowsB, outside } = await layerB.alignedRows(other.head, from, to, signal);
      for (let query = from; query < to; query++) {
        const [start, end] = [(query - from) * numKeys, (query - from + 1) * numKeys];
        sums.add(query, {
          a: rowsA.subarray(start, end),
          b: rowsB.subarray(start, end),
          outsideB: outside[query - from],
        });
      }
      if (turns.isDue) await turns.give();
    }
    results.push(sums.result());
  }
  return results;
}

/** Heads are matched by so many rows at most, evenly spread. */
const mostRows = 64;
/** And by so many numbers of all heads of either text. */
const mostNumbers = 2 ** 24;

/** Of each head of A, in reading order, the nearest head of B; undefined where none can be compared. Throws the signal's reason. */
export async function readMatches(
  a: readonly AlignedLayer[],
  b: readonly AlignedLayer[],
  common: Pick<CommonUnits, 'queries' | 'keys'>,
  signal?: AbortSignal,
): Promise<(MatchedHead | undefined)[]> {
  const keys = [...common.keys.keys()].filter((key) => common.keys[key] === 1);
  const queries = [...common.queries.keys()].filter((query) => common.queries[query] === 1);
  const headsOf = (layers: readonly AlignedLayer[]): LayerHead[] =>
    layers.flatMap(({ numHeads }, layer) => Array.from({ length: numHeads }, (_, head) => ({ layer, head })));
  const [headsA, headsB] = [headsOf(a), headsOf(b)];
  const mostHeads = Math.max(headsA.length, headsB.length);
  if (keys.length === 0 || queries.length === 0 || mostHeads === 0) return headsA.map(() => undefined);
  const numRows = Math.max(1, Math.min(mostRows, queries.length, Math.floor(mostNumbers / (keys.length * mostHeads))));
  const sample = Array.from({ length: numRows }, (_, i) => queries[Math.floor(((i + 0.5) * queries.length) / numRows)]);
  const turns = new Turns(signal);
  const rowsOf = async (layers: readonly AlignedLayer[], { layer, head }: LayerHead): Promise<Float32Array> => {
    const rows = new Float32Array(numRows * keys.length);
    let at = 0;
    for (const query of sample) {
      const row = await layers[layer].rows(head, query, query + 1, signal);
      for (const key of keys) rows[at++] = row[key];
    }
    if (turns.isDue) await turns.give();
    return rows;
  };
  const rowsOfB: Float32Array[] = [];
  for (const head of headsB) rowsOfB.push(await rowsOf(b, head));
  const matcher = new HeadMatcher(rowsOfB, numRows);
  const found: (MatchedHead | undefined)[] = [];
  for (const head of headsA) {
    const match = matcher.nearest(await rowsOf(a, head));
    found.push(match && { jensenShannon: match.jensenShannon, ...headsB[match.head] });
  }
  return found;
}
