import type { ComponentInfo } from '../head';
import type { Pattern } from '../pattern';
import { HeadRows } from './headRows';
import type { HeadMetric, HeadShape, HeadSum, Unit } from './metric';
import { metricIds, metricOf, metrics, type MetricId } from './metrics';
import { MetricText, type AskedTokens, type MetricTextData } from './metricText';

/** Metrics of all heads of a component, heads in reading order. */
export interface HeadTable {
  readonly metrics: readonly MetricId[];
  /** `values[head * metrics.length + metric]`; NaN where a metric says nothing of a head. */
  readonly values: Float32Array;
}

/** Gathers metrics of one head from the rows of its pattern, any number at a time, in order. */
export class MetricSums {
  readonly #rows: HeadRows;
  readonly #sums: readonly HeadSum[];

  constructor(ids: readonly MetricId[], text: MetricText, shape: HeadShape) {
    this.#rows = new HeadRows(shape, text.isCausal);
    this.#sums = ids.map((id) => metricOf(id).compute(text, shape));
  }

  /** Adds whole rows, of which the first is that of query `from`. */
  add(from: number, weights: Float32Array): void {
    const rows = this.#rows;
    for (let start = 0, query = from; start < weights.length; start += rows.numKeys, query++) {
      rows.goTo(query, weights, start);
      for (const sum of this.#sums) sum.add(rows);
    }
  }

  /** The numbers in the order of the metrics, once all rows have been added. */
  values(): number[] {
    return this.#sums.map((sum) => sum.value());
  }
}

/** The metrics of one head, by name. */
export type HeadMetrics = Readonly<Record<MetricId, number>>;

/** All metrics of one pattern over a text, whatever they say. */
export function headMetrics(pattern: Pattern, text: MetricTextData): HeadMetrics {
  const sums = new MetricSums(metricIds, new MetricText(text), pattern);
  sums.add(0, pattern.weights);
  return byName(metricIds, sums.values());
}

/** Numbers by the names of their metrics. */
function byName(ids: readonly MetricId[], values: readonly number[]): HeadMetrics {
  return Object.fromEntries(ids.map((id, at) => [id, values[at]])) as Record<MetricId, number>; // one for each name
}

/** One metric of every head; undefined where the table has it not. */
export function columnOf({ metrics: ids, values }: HeadTable, id: MetricId): Float32Array | undefined {
  const at = ids.indexOf(id);
  if (at < 0) return undefined;
  return Float32Array.from({ length: values.length / ids.length }, (_, head) => values[head * ids.length + at]);
}

/** The metrics that the weights of a component tell: of what someone asks about only where someone does. */
export function applicableTo(component: ComponentInfo, asked?: AskedTokens): MetricId[] {
  return metrics
    .filter(
      ({ applies, needs }: HeadMetric) =>
        applies(component) && (asked !== undefined || !needs.includes('asked')) && !needs.includes('norms'),
    )
    .map(({ id }) => id);
}

/** The metrics of norm-weighted attention, which takes another run of the model. */
export const normMetrics: readonly MetricId[] = metrics
  .filter(({ needs }: HeadMetric) => needs.includes('norms'))
  .map(({ id }) => id);

/** Whether enough of a text stands behind a metric. */
export function hasEnoughRows(id: MetricId, text: MetricText): boolean {
  const { rows, leastRows } = metricOf(id);
  return rows(text) >= leastRows;
}

/** The metrics that say something of a component over a text and that heads are told apart by. */
export function tellingMetrics(component: ComponentInfo, text: MetricTextData): MetricId[] {
  const known = new MetricText(text);
  return applicableTo(component, text.asked).filter((id) => metricOf(id).isDetail !== true && hasEnoughRows(id, known));
}

/** What a metric's numbers of a component are in. */
export function unitOf(id: MetricId, { isCausal }: Pick<ComponentInfo, 'isCausal'>): Unit {
  const { unit, causalUnit } = metricOf(id);
  return isCausal ? (causalUnit ?? unit) : unit;
}

/** What a metric is of at most: 1 for shares, else the largest of the values themselves. */
export function metricCeiling(
  id: MetricId,
  component: Pick<ComponentInfo, 'isCausal'>,
  values: ArrayLike<number>,
): number {
  return unitOf(id, component) === 'share' ? 1 : largestOf(values);
}

/** The largest number that is one, at least 0. */
function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let at = 0; at < values.length; at++) if (values[at] > largest) largest = values[at];
  return largest;
}
