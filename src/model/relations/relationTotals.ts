import type { HeadShape } from '../metrics/metric';
import type { RelationPairs } from './relation';

/** One relation's pairs made ready for one pattern after another. */
interface Prepared {
  /** The lags of the pairs, key − query + numQueries − 1, in order, with how many pairs have each, and how many other cells do. */
  readonly lags: Int32Array;
  readonly numOwn: Int32Array;
  readonly numOthers: Int32Array;
  /** Where the sum of a lag would stand whose number is 0: there is one for each from the first lag to the last. */
  readonly origin: number;
}

/**
 * What heads read along relations, beside others just as far apart (see `RelationScores`), as sums over queries, which add up over many texts: for one
 * pattern after another, of which somebody else has the sums over each lag, and over each lag of a relation's pairs.
 */
export class RelationTotals {
  /** The pairs as runs of cells, each of which is summed up at its lag: first cell, number of cells, place of its sum; in the order of their queries. */
  readonly runs: Int32Array;
  /** How many sums there are. */
  readonly numSums: number;
  readonly #prepared: readonly Prepared[];

  constructor(shape: HeadShape, relations: readonly RelationPairs[]) {
    let numSums = 0;
    this.#prepared = relations.map((pairs) => {
      const own = prepare(shape, pairs, numSums);
      if (own.lags.length > 0) numSums += own.lags[own.lags.length - 1] - own.lags[0] + 1;
      return own;
    });
    this.numSums = numSums;
    this.runs = runsOf(
      shape,
      relations,
      this.#prepared.map(({ origin }) => origin),
    );
  }

  /**
   * Of each relation, in the order of `relationTotals`, the sums over its queries of what they read along it, of the same of others just as far apart, and
   * of the former without pairs that have none such.
   * @param sums of the runs.
   * @param lags the sums over all cells of each lag: `lags[key − query + numQueries − 1]`.
   */
  totals(sums: Float64Array, lags: Float64Array): Float64Array {
    const totals = new Float64Array(3 * this.#prepared.length);
    for (let relation = 0; relation < this.#prepared.length; relation++) {
      const { lags: own, numOwn, numOthers, origin } = this.#prepared[relation];
      let [weight, baseline, matched] = [0, 0, 0];
      for (let at = 0; at < own.length; at++) {
        const sum = sums[origin + own[at]];
        weight += sum;
        if (numOthers[at] === 0) continue;
        matched += sum;
        baseline += (numOwn[at] * (lags[own[at]] - sum)) / numOthers[at];
      }
      totals[3 * relation] = weight;
      totals[3 * relation + 1] = baseline;
      totals[3 * relation + 2] = matched;
    }
    return totals;
  }
}

function prepare({ numQueries, numKeys }: HeadShape, { queries, ends, keys }: RelationPairs, from: number): Prepared {
  const numOfLag = new Int32Array(numQueries + numKeys);
  for (let at = 0, pair = 0; at < queries.length; at++)
    for (; pair < ends[at]; pair++) numOfLag[keys[pair] - queries[at] + numQueries - 1]++;
  const found: number[] = [];
  for (let lag = 0; lag < numOfLag.length; lag++) if (numOfLag[lag] > 0) found.push(lag);
  const lags = Int32Array.from(found);
  const numOwn = lags.map((lag) => numOfLag[lag]);
  const numOthers = lags.map((lag, place) => {
    const ahead = lag - numQueries + 1;
    return Math.min(numQueries, numKeys - ahead) - Math.max(0, -ahead) - numOwn[place];
  });
  return { lags, numOwn, numOthers, origin: from - (found[0] ?? 0) };
}

/** The runs of all relations: those of each query together. */
function runsOf(
  { numQueries, numKeys }: HeadShape,
  relations: readonly RelationPairs[],
  origins: readonly number[],
): Int32Array {
  const runs: number[] = [];
  const next = relations.map(() => 0);
  for (let query = 0; query < numQueries; query++)
    for (const [relation, { queries, ends, keys }] of relations.entries()) {
      const at = next[relation];
      if (queries[at] !== query) continue;
      next[relation]++;
      for (let pair = at === 0 ? 0 : ends[at - 1]; pair < ends[at];) {
        const key = keys[pair];
        let length = 1;
        while (pair + length < ends[at] && keys[pair + length] === key + length) length++;
        runs.push(query * numKeys + key, length, origins[relation] + key - query + numQueries - 1);
        pair += length;
      }
    }
  return Int32Array.from(runs);
}
