import type { HeadShape } from '../metrics/metric';
import type { RelationPairs } from './relation';

/** A relation's pairs made ready for one pattern after another. */
interface Prepared {
  /** Each pair as `query * numKeys + key`, in order. */
  readonly cells: Int32Array;
  /** Of each pair the place of its lag among those of the relation. */
  readonly lagOf: Int32Array;
  /** The lags of the pairs, key − query + numQueries − 1, how many pairs have each, and how many other cells do. */
  readonly lags: readonly number[];
  readonly numOwn: Int32Array;
  readonly numOthers: Int32Array;
}

/**
 * What heads read along relations, beside others just as far apart (see `RelationScores`), as sums over queries, which add up over many texts: for one
 * pattern after another, whose sums over each lag somebody else has.
 */
export class RelationTotals {
  readonly #prepared: readonly Prepared[];
  readonly #sums: readonly Float64Array[];
  readonly #next: number[];
  readonly #numKeys: number;

  constructor(shape: HeadShape, relations: readonly RelationPairs[]) {
    this.#numKeys = shape.numKeys;
    this.#prepared = relations.map((pairs) => prepare(shape, pairs));
    this.#sums = this.#prepared.map(({ lags }) => new Float64Array(lags.length));
    this.#next = relations.map(() => 0);
  }

  /** Begins with a pattern. */
  begin(): void {
    for (const sums of this.#sums) sums.fill(0);
    this.#next.fill(0);
  }

  /** Takes rows, in order, of which the first is that of query `from`. */
  add(from: number, rows: Float32Array): void {
    const first = from * this.#numKeys;
    const end = first + rows.length;
    this.#prepared.forEach(({ cells, lagOf }, relation) => {
      const sums = this.#sums[relation];
      let pair = this.#next[relation];
      for (; pair < cells.length && cells[pair] < end; pair++) sums[lagOf[pair]] += rows[cells[pair] - first];
      this.#next[relation] = pair;
    });
  }

  /**
   * Of each relation, in the order of `relationTotals`, the sums over its queries of what they read along it, of the same of others just as far apart, and
   * of the former without pairs that have none such.
   * @param lags the sums over all cells of each lag: `lags[key − query + numQueries − 1]`.
   */
  totals(lags: Float64Array): number[] {
    return this.#prepared.flatMap(({ lags: own, numOwn, numOthers }, relation) => {
      const sums = this.#sums[relation];
      let [weight, baseline, matched] = [0, 0, 0];
      for (let at = 0; at < own.length; at++) {
        weight += sums[at];
        if (numOthers[at] === 0) continue;
        matched += sums[at];
        baseline += (numOwn[at] * (lags[own[at]] - sums[at])) / numOthers[at];
      }
      return [weight, baseline, matched];
    });
  }
}

function prepare({ numQueries, numKeys }: HeadShape, { queries, ends, keys }: RelationPairs): Prepared {
  const cells = new Int32Array(keys.length);
  const lagsOfPairs = new Int32Array(keys.length);
  const numOfLag = new Int32Array(numQueries + numKeys);
  for (let at = 0, pair = 0; at < queries.length; at++)
    for (; pair < ends[at]; pair++) {
      cells[pair] = queries[at] * numKeys + keys[pair];
      lagsOfPairs[pair] = keys[pair] - queries[at] + numQueries - 1;
      numOfLag[lagsOfPairs[pair]]++;
    }
  const lags: number[] = [];
  const placeOf = numOfLag.map((count, lag) => (count > 0 ? lags.push(lag) - 1 : 0));
  const numOwn = Int32Array.from(lags, (lag) => numOfLag[lag]);
  const numOthers = Int32Array.from(lags, (lag, place) => {
    const ahead = lag - numQueries + 1;
    return Math.min(numQueries, numKeys - ahead) - Math.max(0, -ahead) - numOwn[place];
  });
  return { cells, lagOf: lagsOfPairs.map((lag) => placeOf[lag]), lags, numOwn, numOthers };
}
