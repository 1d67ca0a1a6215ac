import { headsOf, type ComponentInfo, type HeadRef } from './head';
import { MarginalSums, type Pattern } from './pattern';

/** What one head does on one text: shares in [0, 1], but for `distance` and a bidirectional head's `entropy`. */
export interface HeadMetrics {
  /** mean_i A_ii. */
  readonly self: number;
  /** mean_i A_{i,i−1}. */
  readonly previousToken: number;
  /** mean_i −Σ_j A_ij log A_ij, in nats; for a causal head each row is divided by log(i + 1), and the first row left out. */
  readonly entropy: number;
  /** mean_i Σ_j A_ij |i − j|, in tokens. */
  readonly distance: number;
  /** mean_i A_{i,k} summed over the k ≤ i with x_{k−1} = x_i (Olsson et al. 2022). */
  readonly induction: number;
  /** The same over the rows whose token occurred before alone, without weights below 0.01 (HeadVis, Neuronpedia); 0 where there is no such row. */
  readonly repeatedInduction: number;
  /** mean_i Σ_{j<i, x_j = x_i} A_ij. */
  readonly duplicateToken: number;
  /** The largest α_k = mean_{i≥k} A_ik over the columns k that at least eight queries can read (Gu et al. 2024, arXiv 2410.10781). */
  readonly sinkMass: number;
  /** The column that has it. */
  readonly sinkKey: number;
}

/** The metrics that heads are told apart by, those that most look for first. */
export const metricNames = [
  'repeatedInduction',
  'induction',
  'previousToken',
  'duplicateToken',
  'self',
  'sinkMass',
  'entropy',
  'distance',
] as const;
/** The name of a metric. */
export type MetricName = (typeof metricNames)[number];

/** The metrics of all heads of a component, in reading order. */
export interface HeadMeasures {
  /** `values[head * metricNames.length + metric]`. */
  readonly values: Float32Array;
  /** The column with the `sinkMass` of each head. */
  readonly sinkKeys: Int32Array;
}

/** Fewer readers than this make no sink. */
const minReaders = 8;
/** Fewer rows whose token occurred before than this say nothing about what a head does there. */
const minRepeated = 8;
/** What is read with less is not counted among repeated tokens. */
const leastInduction = 0.01;

/** What the metrics of a pattern depend on beside its weights. */
export interface MetricShape {
  readonly numQueries: number;
  readonly numKeys: number;
  readonly isCausal: boolean;
  /** One id for each row and column. */
  readonly ids: ArrayLike<number>;
}

/** Gathers the metrics of a pattern from its rows, any number at a time. */
export class MetricSums {
  readonly #shape: MetricShape;
  readonly #marginals: MarginalSums;
  readonly #wasSeen: Uint8Array;
  #self = 0;
  #previousToken = 0;
  #entropy = 0;
  #distance = 0;
  #induction = 0;
  #repeatedInduction = 0;
  #duplicateToken = 0;

  constructor(shape: MetricShape) {
    this.#shape = shape;
    this.#marginals = new MarginalSums(shape.numQueries, shape.numKeys);
    this.#wasSeen = seenBefore(shape.ids, shape.numQueries);
  }

  /** Adds whole rows, of which the first is that of query `from`. */
  add(from: number, weights: Float32Array): void {
    const { numKeys, isCausal, ids } = this.#shape;
    this.#marginals.add(from, weights);
    for (let row = 0, i = from; row < weights.length; row += numKeys, i++) {
      const id = ids[i];
      let entropy = 0;
      let strongInduction = 0;
      for (let j = 0; j < numKeys; j++) {
        const weight = weights[row + j];
        if (!(weight > 0)) continue;
        entropy -= weight * Math.log(weight);
        this.#distance += weight * Math.abs(i - j);
        if (j > i) continue;
        if (j > 0 && ids[j - 1] === id) {
          this.#induction += weight;
          if (weight >= leastInduction) strongInduction += weight;
        }
        if (j < i && ids[j] === id) this.#duplicateToken += weight;
      }
      if (this.#wasSeen[i] === 1) this.#repeatedInduction += strongInduction;
      if (!isCausal) this.#entropy += entropy;
      else if (i > 0) this.#entropy += entropy / Math.log(i + 1);
      this.#self += weights[row + i] ?? 0;
      if (i > 0) this.#previousToken += weights[row + i - 1];
    }
  }

  /** The metrics, once all rows have been added. */
  get metrics(): HeadMetrics {
    const { numQueries: n, numKeys, isCausal } = this.#shape;
    const columnMeans = this.#marginals.columnMeans(isCausal);
    let sinkKey = 0;
    // The last columns of a causal pattern have so few readers that their means say nothing.
    const numColumns = isCausal ? Math.max(1, n - minReaders + 1) : numKeys;
    for (let key = 1; key < numColumns; key++) if (columnMeans[key] > columnMeans[sinkKey]) sinkKey = key;
    const mean = (sum: number, count: number): number => (count > 0 ? sum / count : 0);
    return {
      self: mean(this.#self, n),
      previousToken: mean(this.#previousToken, n - 1),
      entropy: mean(this.#entropy, n - (isCausal ? 1 : 0)),
      distance: mean(this.#distance, n),
      induction: mean(this.#induction, n),
      repeatedInduction: mean(this.#repeatedInduction, countOf(this.#wasSeen)),
      duplicateToken: mean(this.#duplicateToken, n),
      sinkMass: columnMeans[sinkKey] ?? 0,
      sinkKey,
    };
  }
}

/** The metrics of a self-attention pattern over tokens with these ids (one per row and column). */
export function headMetrics(
  { numQueries, numKeys, weights }: Pattern,
  ids: ArrayLike<number>,
  isCausal: boolean,
): HeadMetrics {
  const sums = new MetricSums({ numQueries, numKeys, isCausal, ids });
  sums.add(0, weights);
  return sums.metrics;
}

/** How many tokens occurred before in their text. */
export function numRepeated(ids: ArrayLike<number>): number {
  return countOf(seenBefore(ids, ids.length));
}

/** The metrics that say something of a component over a text: between two texts no positions can be compared, and too few repeated tokens are chance. */
export function metricsOf({ queryStream, keyStream }: ComponentInfo, ids: ArrayLike<number>): readonly MetricName[] {
  if (queryStream !== keyStream) return ['sinkMass', 'entropy'];
  return numRepeated(ids) >= minRepeated
    ? metricNames
    : metricNames.filter((name) => name !== 'repeatedInduction' && name !== 'induction');
}

/** What a metric is of at most: 1 for shares, else the largest of the values themselves. */
export function metricCeiling(name: MetricName, { isCausal }: ComponentInfo, values: ArrayLike<number>): number {
  if (name !== 'distance' && (name !== 'entropy' || isCausal)) return 1;
  return Math.max(0, ...Array.from(values));
}

/** One metric of every head. */
export function valuesOf({ values }: HeadMeasures, name: MetricName): Float32Array {
  const at = metricNames.indexOf(name);
  return Float32Array.from(
    { length: values.length / metricNames.length },
    (_, head) => values[head * metricNames.length + at],
  );
}

/** A head with a number. */
export interface RankedHead extends HeadRef {
  readonly value: number;
}

/** All heads of a component by one number each, the largest first, in reading order where they are alike. */
export function rankHeads(component: ComponentInfo, values: ArrayLike<number>): RankedHead[] {
  return headsOf(component)
    .map((head, i): RankedHead => ({ ...head, value: values[i] ?? 0 }))
    .sort((a, b) => b.value - a.value || a.layer - b.layer || a.head - b.head);
}

function seenBefore(ids: ArrayLike<number>, count: number): Uint8Array {
  const seen = new Set<number>();
  return Uint8Array.from({ length: count }, (_, i) => {
    const wasSeen = seen.has(ids[i]);
    seen.add(ids[i]);
    return wasSeen ? 1 : 0;
  });
}

function countOf(flags: Uint8Array): number {
  let count = 0;
  for (const flag of flags) count += flag;
  return count;
}
