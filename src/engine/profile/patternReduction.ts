import type { MetricText } from '../../model/metrics/metricText';
import type { PatternTotals } from '../../model/metrics/patternTotals';
import { tokenClasses } from '../../model/profile/tokenClass';
import type { RelationPairs } from '../../model/relations/relation';
import { RelationTotals } from '../../model/relations/relationTotals';
import type { PatternSummer, PatternSums, SummedShape } from './patternSums';

const numClasses = tokenClasses.length;

/** What patterns of one shape over one text are reduced by. */
interface ReductionOptions {
  readonly summer: PatternSummer;
  readonly shape: Omit<SummedShape, 'cells'>;
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
  readonly relations: Float64Array;
}

/** Reduces one pattern after another, all over one text, to sums: each in one pass over its rows. */
export class PatternReduction {
  readonly #options: ReductionOptions;
  readonly #relations: RelationTotals;
  /** What is added up of each pattern. */
  readonly #shape: SummedShape;

  constructor(options: ReductionOptions) {
    this.#options = options;
    const { shape, text, relations } = options;
    this.#relations = new RelationTotals(shape, relations);
    const { runs, numSums } = this.#relations;
    this.#shape = { ...shape, cells: { runs, numRunSums: numSums, repeated: repeatedCells(text, shape.numKeys) } };
  }

  /** Reduces the pattern whose rows these are, in order. */
  reduce(bands: readonly Float32Array[]): ReducedPattern {
    const { numQueries } = this.#shape;
    const { hasSign, ...sums } = this.#sumsOf(bands);
    const [earlier, followed, followedFirmly] = sums.repeated;
    const columnSums = this.#columnSums(sums);
    const own = {
      classWeights: this.#classWeights(sums),
      relations: this.#relations.totals(sums.runs, sums.lags),
    };
    const totals = {
      ...{ numQueries, columnSums, positiveColumnSums: columnSums, lags: sums.lags },
      ...{ ...distances(sums.lags, numQueries), entropies: sums.entropies },
      ...{ earlier, followed, followedFirmly },
    };
    return { ...own, totals: hasSign ? { ...totals, ...this.#positive(bands, sums.lags) } : totals };
  }

  /** What counts weights above zero alone, and what the second pass would take away of the first. */
  #positive(bands: readonly Float32Array[], lags: Float64Array): Partial<PatternTotals> {
    const kept = lags.slice();
    const sums = this.#sumsOf(bands.map((rows) => rows.map((weight) => Math.max(0, weight))));
    const { entropies, repeated } = sums;
    return {
      ...{ lags: kept, entropies, positiveColumnSums: this.#columnSums(sums), followed: repeated[1] },
      ...distances(sums.lags, this.#shape.numQueries),
    };
  }

  #sumsOf(bands: readonly Float32Array[]): PatternSums {
    const { summer } = this.#options;
    summer.begin(this.#shape);
    let from = 0;
    for (const rows of bands) {
      summer.add(from, rows);
      from += rows.length / this.#shape.numKeys;
    }
    return summer.sums();
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

/** The cells of queries whose token occurred before, at each earlier occurrence: see {@link SummedCells.repeated}. */
function repeatedCells({ before }: MetricText, numKeys: number): Int32Array {
  const cells: number[] = [];
  before.forEach((last, query) => {
    for (let earlier = last; earlier >= 0; earlier = before[earlier])
      if (earlier + 1 < numKeys) cells.push(query * numKeys + earlier);
  });
  return Int32Array.from(cells);
}
