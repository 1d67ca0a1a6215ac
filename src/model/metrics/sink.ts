import { meansOfColumns } from '../pattern';
import type { HeadMetric, HeadShape, HeadSum } from './metric';
import type { MetricText } from './metricText';
import type { PatternTotals } from './patternTotals';

/** Fewer readers than this make no sink. */
const minReaders = 8;

/** The column with the largest mean α_k among those that enough queries can read, and that mean. */
function mostRead(sums: Float64Array, numQueries: number, isCausal: boolean): readonly [key: number, mean: number] {
  const means = meansOfColumns(sums, numQueries, isCausal);
  // The last columns of a causal pattern have so few readers that their means say nothing.
  const numColumns = isCausal ? Math.max(1, numQueries - minReaders + 1) : sums.length;
  let most = 0;
  for (let key = 1; key < numColumns; key++) if (means[key] > means[most]) most = key;
  return [most, means[most] ?? 0];
}

function mostReadSum(
  { isCausal }: MetricText,
  { numQueries, numKeys }: HeadShape,
  told: (found: ReturnType<typeof mostRead>) => number,
): HeadSum {
  let sums: Float64Array = new Float64Array(numKeys);
  return {
    add: (rows) => void (sums = rows.columnSums),
    value: () => told(mostRead(sums, numQueries, isCausal)),
  };
}

/** How much of all weight one token draws. */
export const sinkMass = {
  id: 'sinkMass',
  title: 'most read token',
  definition: 'The largest mean weight that one token gets from all that can read it, at least eight.',
  formula: 'max_k α_k with α_k = mean_{i≥k} A_ik, of the k that at least eight i can read',
  source: 'Gu et al. 2024, arXiv 2410.10781',
  unit: 'share',
  needs: [],
  isFinding: true,
  applies: () => true,
  rows: ({ numQueries }) => numQueries,
  leastRows: 1,
  compute: (text, shape) => mostReadSum(text, shape, ([, mean]) => mean),
  ofTotals: ({ positiveColumnSums, numQueries }, { isCausal }) => mostRead(positiveColumnSums, numQueries, isCausal)[1],
} as const satisfies HeadMetric;

/** The token that draws most. */
export const sinkKey = {
  ...sinkMass,
  id: 'sinkKey',
  title: 'which token',
  definition: 'The token that gets the largest mean weight from all that can read it.',
  formula: 'the k of that α_k',
  unit: 'position',
  isFinding: false,
  isDetail: true,
  compute: (text: MetricText, shape: HeadShape) => mostReadSum(text, shape, ([key]) => key),
  ofTotals: ({ positiveColumnSums, numQueries }: PatternTotals, { isCausal }: MetricText) =>
    mostRead(positiveColumnSums, numQueries, isCausal)[0],
} as const satisfies HeadMetric;
