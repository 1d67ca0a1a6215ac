import { firstAtLeast } from '../../base/firstAtLeast';
import type { MetricText } from '../../model/metrics/metricText';
import { leastWeight, type PatternTotals } from '../../model/metrics/patternTotals';
import { tokenClasses } from '../../model/profile/tokenClass';
import type { RelationPairs } from '../../model/relations/relation';
import { RelationTotals } from '../../model/relations/relationTotals';
import type { PatternSummer, PatternSums, SummedShape } from './patternSums';

const numClasses = tokenClasses.length;

/** What patterns of one shape over one text are reduced by. */
interface ReductionOptions {
  readonly summer: PatternSummer;
  readonly shape: SummedShape;
  /** The class of each key. */
  readonly keyClasses: Uint8Array;
  readonly text: MetricText;
  readonly relations: readonly RelationPairs[];
}

/** What one pattern comes to; gone with the next one. */
interface ReducedPattern {
  readonly totals: PatternTotals;
  /** Sums of weights: `classWeights[class of the query * classes + class of the key]`. */
  readonly classWeights: Float64Array;
  /** See `RelationTotals.totals`. */
  readonly relations: readonly number[];
}

/** Reduces one pattern after another, all over one text, to sums: each in one pass over its rows. */
export class PatternReduction {
  readonly #options: ReductionOptions;
  readonly #relations: RelationTotals;
  readonly #repeated: RepeatedCells;

  constructor(options: ReductionOptions) {
    this.#options = options;
    const { shape, text, relations } = options;
    this.#relations = new RelationTotals(shape, relations);
    this.#repeated = new RepeatedCells(text.before, shape.numKeys);
  }

  /** Reduces the pattern whose rows these are, in order. */
  reduce(bands: readonly Float32Array[]): ReducedPattern {
    const { summer, shape } = this.#options;
    const { numQueries, numKeys } = shape;
    const repeated = new Float64Array(3);
    this.#relations.begin();
    summer.begin(shape);
    eachBand(bands, numKeys, (from, rows) => {
      summer.add(from, rows);
      this.#relations.add(from, rows);
      this.#repeated.add(from, rows, repeated);
    });
    const { hasSign, ...sums } = summer.sums();
    const columnSums = this.#columnSums(sums);
    const own = {
      classWeights: this.#classWeights(sums),
      relations: this.#relations.totals(sums.lags),
    };
    const totals = {
      ...{ numQueries, columnSums, positiveColumnSums: columnSums, lags: sums.lags },
      ...{ ...distances(sums.lags, numQueries), entropies: sums.entropies },
      ...{ earlier: repeated[0], followed: repeated[1], followedFirmly: repeated[2] },
    };
    return { ...own, totals: hasSign ? { ...totals, ...this.#positive(bands, sums.lags) } : totals };
  }

  /** What counts weights above zero alone, and what the second pass would take away of the first. */
  #positive(bands: readonly Float32Array[], lags: Float64Array): Partial<PatternTotals> {
    const { summer, shape } = this.#options;
    const kept = lags.slice();
    const repeated = new Float64Array(3);
    summer.begin(shape);
    eachBand(bands, shape.numKeys, (from, rows) => {
      const positive = rows.map((weight) => Math.max(0, weight));
      summer.add(from, positive);
      this.#repeated.add(from, positive, repeated);
    });
    const sums = summer.sums();
    return {
      ...{ lags: kept, entropies: sums.entropies, positiveColumnSums: this.#columnSums(sums), followed: repeated[1] },
      ...distances(sums.lags, shape.numQueries),
    };
  }

  #columnSums({ columns, stride }: Pick<PatternSums, 'columns' | 'stride'>): Float64Array {
    const all = new Float64Array(this.#options.shape.numKeys);
    for (let own = 0; own < numClasses; own++) {
      const start = own * stride;
      for (let key = 0; key < all.length; key++) all[key] += columns[start + key];
    }
    return all;
  }

  #classWeights({ columns, stride }: Pick<PatternSums, 'columns' | 'stride'>): Float64Array {
    const { keyClasses } = this.#options;
    const table = new Float64Array(numClasses ** 2);
    for (let own = 0; own < numClasses; own++) {
      const [start, first] = [own * stride, own * numClasses];
      for (let key = 0; key < keyClasses.length; key++) table[first + keyClasses[key]] += columns[start + key];
    }
    return table;
  }
}

function eachBand(
  bands: readonly Float32Array[],
  numKeys: number,
  take: (from: number, rows: Float32Array) => void,
): void {
  let from = 0;
  for (const rows of bands) {
    take(from, rows);
    from += rows.length / numKeys;
  }
}

function distances(
  lags: Float64Array,
  numQueries: number,
): { readonly distance: number; readonly squaredDistance: number } {
  let [distance, squaredDistance] = [0, 0];
  for (let at = 0; at < lags.length; at++) {
    const far = Math.abs(at - numQueries + 1);
    const moment = lags[at] * far;
    distance += moment;
    squaredDistance += moment * far;
  }
  return { distance, squaredDistance };
}

/** The cells of queries whose token occurred before, at each earlier occurrence; behind each stands what followed it then. */
class RepeatedCells {
  /** Each as `query * numKeys + key`, in the order of the queries. */
  readonly #cells: Int32Array;
  readonly #numKeys: number;

  constructor(before: Int32Array, numKeys: number) {
    const cells: number[] = [];
    before.forEach((last, query) => {
      for (let earlier = last; earlier >= 0; earlier = before[earlier])
        if (earlier + 1 < numKeys) cells.push(query * numKeys + earlier);
    });
    this.#cells = Int32Array.from(cells);
    this.#numKeys = numKeys;
  }

  /** Adds the weights of rows, of which the first is that of query `from`: to the first of three sums those on the earlier occurrences, to the second those on what followed, and to the third the latter from {@link leastWeight}. */
  add(from: number, rows: Float32Array, sums: Float64Array): void {
    const cells = this.#cells;
    const first = from * this.#numKeys;
    const end = first + rows.length;
    let [earlier, followed, firmly] = [0, 0, 0];
    for (let at = firstAtLeast(cells, first); at < cells.length && cells[at] < end; at++) {
      const cell = cells[at] - first;
      const weight = rows[cell + 1];
      earlier += rows[cell];
      followed += weight;
      if (weight >= leastWeight) firmly += weight;
    }
    sums[0] += earlier;
    sums[1] += followed;
    sums[2] += firmly;
  }
}
