import type { ComponentInfo } from '../head';
import { isWithinOneText, type HeadMetric, type HeadShape, type HeadSum } from './metric';
import type { MetricText } from './metricText';

/** What a head reads of what was asked about, and what it reads as far away elsewhere. */
interface Reading {
  /** The sum over the pairs that can be read, and their number. */
  readonly weight: number;
  readonly numPairs: number;
  /** The same of the pairs that have another pair of tokens at their distance, beside the sum of those others' means. */
  readonly matchedWeight: number;
  readonly baseline: number;
  readonly numMatched: number;
}

/** The number of a head that follows from what it reads. */
function readingSum(
  { asked, isCausal }: MetricText,
  { numQueries, numKeys }: HeadShape,
  told: (reading: Reading) => number,
): HeadSum {
  const keys = asked?.keys ?? [];
  const isAsked = new Uint8Array(numQueries);
  // Distances keep their sign: what lies behind a token is not compared with what lies ahead of it.
  const indexOfLag = new Int32Array(numQueries + numKeys).fill(-1);
  const lags: number[] = [];
  for (const query of asked?.queries ?? []) {
    isAsked[query] = 1;
    for (const key of keys) {
      const lag = query - key;
      if ((isCausal && lag < 0) || indexOfLag[lag + numKeys] >= 0) continue;
      indexOfLag[lag + numKeys] = lags.push(lag) - 1;
    }
  }
  const [sums, counts] = [new Float64Array(lags.length), new Int32Array(lags.length)];
  const [weights, pairs] = [new Float64Array(lags.length), new Int32Array(lags.length)];
  return {
    add: (rows) => {
      const { query } = rows;
      for (let at = 0; at < lags.length; at++) {
        const key = query - lags[at];
        if (key < 0 || key >= numKeys) continue;
        sums[at] += rows.weights[rows.start + key];
        counts[at]++;
      }
      if (isAsked[query] === 0) return;
      for (const key of keys) {
        if (isCausal && key > query) continue;
        const at = indexOfLag[query - key + numKeys];
        weights[at] += rows.at(key);
        pairs[at]++;
      }
    },
    value: () => {
      const reading = { weight: 0, numPairs: 0, matchedWeight: 0, baseline: 0, numMatched: 0 };
      weights.forEach((weight, at) => {
        reading.weight += weight;
        reading.numPairs += pairs[at];
        const others = counts[at] - pairs[at];
        if (others === 0) return;
        reading.matchedWeight += weight;
        reading.baseline += (pairs[at] * (sums[at] - weight)) / others;
        reading.numMatched += pairs[at];
      });
      return told(reading);
    },
  };
}

const mean = (sum: number, count: number): number => (count > 0 ? sum / count : NaN);

/** How many of the pairs of tokens asked about can be read. */
function numPairs({ asked, isCausal }: MetricText): number {
  if (asked === undefined) return 0;
  return asked.queries.reduce(
    (count, query) => count + (isCausal ? asked.keys.filter((key) => key <= query).length : asked.keys.length),
    0,
  );
}

/** How much some tokens read some others. */
export const reads = {
  id: 'reads',
  title: 'from these to those',
  definition: 'Mean weight from the tokens that are pinned to those that are marked, over the pairs that can be read.',
  formula: 'mean A_ij over the i and j asked about, of a causal head with j ≤ i',
  source: 'BertViz, issue 111',
  unit: 'share',
  needs: ['asked'],
  applies: () => true,
  rows: numPairs,
  leastRows: 1,
  compute: (text, shape) => readingSum(text, shape, ({ weight, numPairs: count }) => mean(weight, count)),
} as const satisfies HeadMetric;

/** Patches have no distance along one line. */
const sameDistance = {
  ...reads,
  rows: (text: MetricText) => (text.isPicture ? 0 : numPairs(text)),
  applies: (component: ComponentInfo) => isWithinOneText(component),
} as const;

/** How much as much distance would be read anyway. */
export const readsBaseline = {
  ...sameDistance,
  id: 'readsBaseline',
  title: 'as far elsewhere',
  definition:
    'Mean weight between all other tokens that are as far apart in the same direction: what distance alone would bring.',
  formula: 'for each pair asked about the mean A_kl over all other k, l with k − l = i − j, then their mean',
  source: 'Wan et al. 2022, arXiv 2202.06840: structure beside a baseline',
  compute: (text: MetricText, shape: HeadShape) =>
    readingSum(text, shape, ({ baseline, numMatched }) => mean(baseline, numMatched)),
} as const satisfies HeadMetric;

/** How many times as much. */
export const readsRatio = {
  ...sameDistance,
  id: 'readsRatio',
  title: 'ratio',
  definition: 'How many times as much the marked tokens are read as others that are as far away.',
  formula: 'the one ÷ the other, over the pairs that have others as far apart',
  source: 'Wan et al. 2022, arXiv 2202.06840: structure beside a baseline',
  unit: 'ratio',
  compute: (text: MetricText, shape: HeadShape) =>
    readingSum(text, shape, ({ matchedWeight, baseline }) => (baseline > 0 ? matchedWeight / baseline : NaN)),
} as const satisfies HeadMetric;
