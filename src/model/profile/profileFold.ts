import { unitOf } from '../metrics/headTable';
import { metricOf, type MetricId } from '../metrics/metrics';
import { relationIds, type RelationId } from '../relations/relation';
import { Histogram } from './bins';
import { profileMetrics, relationTotals, type ChunkPlace, type ComponentRecord, type TextRecord } from './textRecord';
import { tokenClasses } from './tokenClass';

/** How many of the strongest chunks are kept for each head and metric. */
const numExamples = 5;

/** A chunk of a text in which a head's metric was high. */
interface Example {
  readonly value: number;
  readonly hash: string;
  readonly place: ChunkPlace;
  readonly text: string | undefined;
}

/** One metric of one head over the chunks so far, by Welford's method in their order. */
class MetricFold {
  count = 0;
  mean = 0;
  /** Of a head that reads all alike. */
  uniform = 0;
  smallest = Infinity;
  largest = -Infinity;
  readonly histogram = new Histogram();
  readonly examples: Example[] = [];
  #squares = 0;

  add(value: number, uniform: number): void {
    this.count++;
    this.uniform += (uniform - this.uniform) / this.count;
    const far = value - this.mean;
    this.mean += far / this.count;
    this.#squares += far * (value - this.mean);
    this.smallest = Math.min(this.smallest, value);
    this.largest = Math.max(this.largest, value);
    this.histogram.add(value);
  }

  /** Keeps the strongest; of equals the earlier one. */
  keep(value: number, example: () => Example): void {
    const last = this.examples[numExamples - 1] as Example | undefined;
    if (last !== undefined && value <= last.value) return;
    const at = this.examples.findIndex((each) => each.value < value);
    this.examples.splice(at < 0 ? this.examples.length : at, 0, example());
    if (this.examples.length > numExamples) this.examples.pop();
  }

  /** Σ (x − mean)² / n. */
  get variance(): number {
    return this.#squares / this.count;
  }
}

/** What stands in a row for each decile. */
export const decileNames = [10, 20, 30, 40, 50, 60, 70, 80, 90].map((percent) => `p${percent}`);

/** A head in a row. */
interface HeadRow {
  readonly component: string;
  readonly layer: number;
  readonly head: number;
}

/** A head and a metric: over `count` chunks in which the metric says something. */
export interface MetricRow extends HeadRow {
  readonly metric: MetricId;
  readonly unit: string;
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
  /** The mean, over the same chunks, of a head that reads all that it can alike. */
  readonly uniform: number;
  readonly smallest: number;
  readonly largest: number;
  readonly deciles: readonly number[];
  /** Bins that are not empty: the number that each begins with, and how many chunks fell into it. */
  readonly bins: readonly (readonly [from: number, count: number])[];
  readonly examples: readonly Example[];
}

/** A head, a language and a relation. */
export interface RelationRow extends HeadRow {
  readonly language: string;
  readonly relation: RelationId;
  readonly queries: number;
  readonly pairs: number;
  /** Mean over the queries of what they read along the relation, and the same of others just as far apart. */
  readonly share: number;
  readonly baseline: number;
  /** The one by the other, without pairs that have none to be compared with; NaN where there is nothing to compare. */
  readonly ratio: number;
}

/** A head, and a class of tokens that reads another. */
export interface ClassRow extends HeadRow {
  readonly from: string;
  readonly to: string;
  readonly queries: number;
  /** Mean over the queries of what they read of the class, and what they would if they read all alike. */
  readonly share: number;
  readonly uniform: number;
}

interface Sums {
  readonly language: string;
  readonly queries: Float64Array;
  readonly pairs: Float64Array;
  readonly sums: Float64Array;
}

/** One component over the texts so far. */
interface ComponentFold {
  readonly component: string;
  readonly numHeads: readonly number[];
  isCausal: boolean;
  readonly metrics: readonly MetricFold[];
  readonly relations: Map<string, Sums>;
  readonly classQueries: Float64Array;
  readonly classShares: Float64Array;
  readonly classWeights: Float64Array;
}

/** Folds what a model did over texts into a profile. The same texts in the same order give the same numbers to the bit. */
export class ProfileFold {
  readonly #components = new Map<string, ComponentFold>();
  numTexts = 0;
  numChunks = 0;
  numTokens = 0;

  /** Throws RangeError where a record is of another model's shape. */
  add(record: TextRecord): void {
    this.numTexts++;
    this.numChunks += record.chunks.length;
    this.numTokens += record.chunks.reduce((sum, [, , , , tokens]) => sum + tokens, 0);
    for (const component of record.components) this.#add(record, component);
  }

  #add(record: TextRecord, own: ComponentRecord): void {
    const fold = this.#foldOf(own);
    if (String(fold.numHeads) !== String(own.numHeads)) throw new RangeError('its heads are not those of the others');
    fold.isCausal &&= own.isCausal;
    const numMetrics = fold.metrics.length;
    if (own.values.length !== numMetrics * record.chunks.length)
      throw new RangeError('it has not as many numbers as chunks');
    own.values.forEach((value, at) => {
      if (!Number.isFinite(value)) return;
      const metric = fold.metrics[at % numMetrics];
      const chunk = Math.floor(at / numMetrics);
      metric.add(value, own.uniform[chunk * profileMetrics.length + (at % profileMetrics.length)]);
      metric.keep(value, () => ({
        value,
        hash: record.hash,
        place: record.chunks[chunk],
        text: record.texts?.[chunk],
      }));
    });
    addAll(fold.classQueries, own.classQueries);
    addAll(fold.classShares, own.classShares);
    addAll(fold.classWeights, own.classWeights);
    if (own.relationSums.length === 0) return;
    const known = fold.relations.get(record.language);
    if (known === undefined)
      fold.relations.set(record.language, {
        language: record.language,
        queries: own.relationQueries.slice(),
        pairs: own.relationPairs.slice(),
        sums: own.relationSums.slice(),
      });
    else {
      addAll(known.queries, own.relationQueries);
      addAll(known.pairs, own.relationPairs);
      addAll(known.sums, own.relationSums);
    }
  }

  #foldOf({ component, numHeads, isCausal }: ComponentRecord): ComponentFold {
    const known = this.#components.get(component);
    if (known !== undefined) return known;
    const all = numHeads.reduce((sum, count) => sum + count, 0);
    const numClasses = tokenClasses.length;
    const fold: ComponentFold = {
      component,
      numHeads,
      isCausal,
      metrics: Array.from({ length: all * profileMetrics.length }, () => new MetricFold()),
      relations: new Map(),
      classQueries: new Float64Array(numClasses),
      classShares: new Float64Array(numClasses ** 2),
      classWeights: new Float64Array(all * numClasses ** 2),
    };
    this.#components.set(component, fold);
    return fold;
  }

  /** Rows of heads and metrics that say something anywhere. */
  metricRows(): MetricRow[] {
    return this.#eachHead((head, index, { isCausal, metrics }) =>
      profileMetrics.flatMap((id, at) => {
        const fold = metrics[index * profileMetrics.length + at];
        if (fold.count === 0) return [];
        const { count, mean, variance, uniform, smallest, largest, histogram } = fold;
        return {
          ...head,
          metric: id,
          unit: unitOf(id, { isCausal }),
          ...{ count, mean, variance, uniform, smallest, largest },
          deciles: decileNames.map((_, i) => histogram.quantile((i + 1) / 10, smallest, largest)),
          bins: histogram.edges,
          // A place is neither strong nor weak.
          examples: metricOf(id).isDetail === true ? [] : fold.examples,
        };
      }),
    );
  }

  relationRows(): RelationRow[] {
    return this.#eachHead((head, index, { relations }) =>
      [...relations.values()]
        .sort((a, b) => (a.language < b.language ? -1 : 1))
        .flatMap(({ language, queries, pairs, sums }) =>
          relationIds.map((relation, at) => {
            const start = (index * relationIds.length + at) * relationTotals.length;
            const [weight, baseline, matched] = sums.subarray(start, start + relationTotals.length);
            return {
              ...{ ...head, language, relation, queries: queries[at], pairs: pairs[at] },
              share: weight / queries[at],
              baseline: baseline / queries[at],
              ratio: baseline > 0 ? matched / baseline : NaN,
            };
          }),
        ),
    );
  }

  classRows(): ClassRow[] {
    const numClasses = tokenClasses.length;
    return this.#eachHead((head, index, { classQueries, classShares, classWeights }) =>
      tokenClasses.flatMap((from, query) =>
        tokenClasses.flatMap((to, key) => {
          const queries = classQueries[query];
          const at = query * numClasses + key;
          if (queries === 0 || classShares[at] === 0) return [];
          const share = classWeights[index * numClasses ** 2 + at] / queries;
          return { ...head, from, to, queries, share, uniform: classShares[at] / queries };
        }),
      ),
    );
  }

  #eachHead<T>(rows: (head: HeadRow, index: number, fold: ComponentFold) => readonly T[]): T[] {
    return [...this.#components.values()].flatMap((fold) => {
      let index = 0;
      return fold.numHeads.flatMap((count, layer) =>
        Array.from({ length: count }, (_, head) =>
          rows({ component: fold.component, layer, head }, index++, fold),
        ).flat(),
      );
    });
  }
}

function addAll(sums: Float64Array, others: Float64Array): void {
  if (sums.length !== others.length) throw new RangeError('its tables are not as large as the others');
  for (let i = 0; i < sums.length; i++) sums[i] += others[i];
}
