import type { HeadShape } from '../metrics/metric';
import { leastPairs, relationValues, type RelationPairs } from './relation';

/** How often queries are drawn anew. */
const numResamples = 200;
/** The same numbers come of the same text. */
const seed = 20240607;

/** A generator of numbers in [0, 1) that every host computes alike: mulberry32. */
function seededNumbers(from: number): () => number {
  let state = from | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A relation's pairs made ready to be compared with others just as far apart: the same for all heads. */
interface Prepared {
  readonly pairs: RelationPairs;
  /** How many pairs there are of each lag, query − key + numKeys. */
  readonly numOfLag: Int32Array;
  /** How often each query is drawn, resample after resample: `draws[resample * queries + query]`; made when someone asks. */
  readonly draws: () => Uint16Array;
}

/**
 * Structure scores (Wan et al. 2022, arXiv 2202.06840) beside a baseline that is matched by distance, for pattern after pattern of one text. Whatever the numbers of
 * a pattern are: weights, or weights by the norm of what they read.
 */
export class RelationScores {
  readonly #numQueries: number;
  readonly #numKeys: number;
  readonly #prepared: readonly Prepared[];
  /** How many cells of a pattern have each lag. */
  readonly #cellsOfLag: Int32Array;

  constructor({ numQueries, numKeys }: HeadShape, relations: readonly RelationPairs[]) {
    this.#numQueries = numQueries;
    this.#numKeys = numKeys;
    this.#cellsOfLag = new Int32Array(numQueries + numKeys);
    for (let query = 0; query < numQueries; query++)
      for (let key = 0; key < numKeys; key++) this.#cellsOfLag[query - key + numKeys]++;
    this.#prepared = relations.map((pairs) => {
      const numOfLag = new Int32Array(numQueries + numKeys);
      eachPair(pairs, (query, key) => numOfLag[query - key + numKeys]++);
      let draws: Uint16Array | undefined;
      return { pairs, numOfLag, draws: () => (draws ??= drawQueries(pairs.queries.length)) };
    });
  }

  /** Begins with a head. */
  head(): HeadRelations {
    return new HeadRelations(
      { numQueries: this.#numQueries, numKeys: this.#numKeys },
      this.#prepared,
      this.#cellsOfLag,
    );
  }
}

/** What one head reads along relations, from its rows. */
class HeadRelations {
  readonly #numKeys: number;
  readonly #prepared: readonly Prepared[];
  readonly #cellsOfLag: Int32Array;
  /** The sum over all cells of each lag. */
  readonly #sums: Float64Array;
  /** Of each relation the weight of each query on its keys, and the sum over its cells of each lag. */
  readonly #ofQueries: readonly Float64Array[];
  readonly #ofLags: readonly Float64Array[];
  readonly #next: number[];

  constructor({ numQueries, numKeys }: HeadShape, prepared: readonly Prepared[], cellsOfLag: Int32Array) {
    this.#numKeys = numKeys;
    this.#prepared = prepared;
    this.#cellsOfLag = cellsOfLag;
    this.#sums = new Float64Array(numQueries + numKeys);
    this.#ofQueries = prepared.map(({ pairs }) => new Float64Array(pairs.queries.length));
    this.#ofLags = prepared.map(() => new Float64Array(numQueries + numKeys));
    this.#next = prepared.map(() => 0);
  }

  /** Takes rows, in order, of which the first is that of query `from`. */
  add(from: number, rows: Float32Array): void {
    const numKeys = this.#numKeys;
    const [sums, next] = [this.#sums, this.#next];
    for (let query = from, start = 0; start < rows.length; query++, start += numKeys) {
      const lag = query + numKeys;
      for (let key = 0; key < numKeys; key++) sums[lag - key] += rows[start + key];
      for (let relation = 0; relation < next.length; relation++) {
        const { queries, ends, keys } = this.#prepared[relation].pairs;
        const at = next[relation];
        if (queries[at] !== query) continue;
        next[relation]++;
        const ofLags = this.#ofLags[relation];
        let own = 0;
        for (let pair = at === 0 ? 0 : ends[at - 1]; pair < ends[at]; pair++) {
          const key = keys[pair];
          own += rows[start + key];
          ofLags[lag - key] += rows[start + key];
        }
        this.#ofQueries[relation][at] = own;
      }
    }
  }

  /** The values of each relation, in the order of {@link relationValues}. */
  values(): number[] {
    return this.#prepared.flatMap((_, relation) => this.#valuesOf(relation));
  }

  #valuesOf(relation: number): number[] {
    const { pairs, numOfLag } = this.#prepared[relation];
    const { queries, ends } = pairs;
    const weights = this.#ofQueries[relation];
    const ofLags = this.#ofLags[relation];
    const numQueries = queries.length;
    const numPairs = pairs.keys.length;
    const baselines = new Float64Array(numQueries);
    const matched = weights.slice();
    for (let at = 0; at < numQueries; at++)
      for (let pair = at === 0 ? 0 : ends[at - 1]; pair < ends[at]; pair++) {
        const lag = queries[at] - pairs.keys[pair] + this.#numKeys;
        // The mean of other cells at each distance; those of the relation itself are no comparison.
        const others = this.#cellsOfLag[lag] - numOfLag[lag];
        if (others > 0) baselines[at] += (this.#sums[lag] - ofLags[lag]) / others;
        // A pair without any other at its distance cannot be compared, and does not count for the ratio.
        else matched[at] -= ofLags[lag] / numOfLag[lag];
      }
    const [weight, baseline, compared] = [sum(weights), sum(baselines), sum(matched)];
    const share = numQueries > 0 ? weight / numQueries : NaN;
    const shareOfOthers = numQueries > 0 ? baseline / numQueries : NaN;
    if (numPairs < leastPairs || !(baseline > 0))
      return [share, shareOfOthers, ...relationValues.slice(2).map(() => NaN)];
    const draws = this.#prepared[relation].draws();
    const ratios = new Float64Array(numResamples);
    for (let resample = 0, at = 0; resample < numResamples; resample++) {
      let [top, bottom] = [0, 0];
      for (let query = 0; query < numQueries; query++, at++) {
        top += draws[at] * matched[query];
        bottom += draws[at] * baselines[query];
      }
      ratios[resample] = bottom > 0 ? top / bottom : 0;
    }
    ratios.sort();
    return [share, shareOfOthers, compared / baseline, quantile(ratios, 0.025), quantile(ratios, 0.975)];
  }
}

function eachPair({ queries, ends, keys }: RelationPairs, take: (query: number, key: number) => void): void {
  queries.forEach((query, at) => {
    for (let pair = at === 0 ? 0 : ends[at - 1]; pair < ends[at]; pair++) take(query, keys[pair]);
  });
}

/** As many queries as there are, drawn with replacement, again and again; how often each was. */
function drawQueries(numQueries: number): Uint16Array {
  const draws = new Uint16Array(numResamples * numQueries);
  const next = seededNumbers(seed);
  for (let start = 0; start < draws.length; start += numQueries)
    for (let draw = 0; draw < numQueries; draw++) draws[start + Math.floor(next() * numQueries)]++;
  return draws;
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** A quantile of sorted numbers, between two of them by line, as NumPy's default is. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}
