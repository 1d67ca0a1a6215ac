import type { MetricText } from '../../model/metrics/metricText';
import type { PatternTotals } from '../../model/metrics/patternTotals';
import type { RelationPairs } from '../../model/relations/relation';
import { RelationTotals } from '../../model/relations/relationTotals';
import type { PatternSummer, PatternSums, SummedShape } from './patternSums';

/** What patterns of one shape over one text are reduced by. */
interface ReductionOptions {
  readonly summer: PatternSummer;
  readonly shape: Omit<SummedShape, 'cells'>;
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
    const { hasSign, columnSums, classWeights, lags, entropies, runs, repeated } = this.#sumsOf(bands);
    const { numQueries } = this.#shape;
    const relations = this.#relations.totals(runs, lags);
    const { distance, squaredDistance } = distances(lags, numQueries);
    const [earlier, followed, followedFirmly] = repeated;
    const totals: PatternTotals = {
      numQueries,
      columnSums,
      positiveColumnSums: columnSums,
      lags,
      distance,
      squaredDistance,
      entropies,
      earlier,
      followed,
      followedFirmly,
    };
    if (!hasSign) return { classWeights, relations, totals };
    const kept = { ...totals, columnSums: columnSums.slice(), lags: lags.slice() };
    return { classWeights: classWeights.slice(), relations, totals: { ...kept, ...this.#positive(bands) } };
  }

  /** What counts weights above zero alone: a second pass, with which what the first one gave is gone. */
  #positive(bands: readonly Float32Array[]): Partial<PatternTotals> {
    const sums = this.#sumsOf(bands.map((rows) => rows.map((weight) => Math.max(0, weight))));
    const { columnSums: positiveColumnSums, lags, entropies, repeated } = sums;
    return { entropies, positiveColumnSums, followed: repeated[1], ...distances(lags, this.#shape.numQueries) };
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
