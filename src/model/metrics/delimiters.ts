import { meanOver, type HeadMetric } from './metric';

/** How much a head reads what parts a text. */
export const delimiters = {
  id: 'delimiters',
  title: 'delimiters',
  definition: 'Mean weight on line breaks, brackets, and marks such as commas and full stops; special tokens are none.',
  formula: 'mean_i Σ_j A_ij over the j that are delimiters',
  source: 'Clark et al. 2019, with the marks of code',
  unit: 'share',
  needs: ['delimiters'],
  isFinding: true,
  applies: () => true,
  rows: ({ numQueries, delimiterKeys }) => (delimiterKeys.length === 0 ? 0 : numQueries),
  leastRows: 1,
  compute: ({ delimiterKeys }) =>
    meanOver(({ weights, start, numReadable }) => {
      let sum = 0;
      // They are in order, and behind what can be read is nothing.
      for (let at = 0; at < delimiterKeys.length && delimiterKeys[at] < numReadable; at++)
        sum += weights[start + delimiterKeys[at]];
      return sum;
    }),
  ofTotals: ({ columnSums, numQueries }, { delimiterKeys }) =>
    delimiterKeys.reduce((sum, key) => sum + columnSums[key], 0) / numQueries,
} as const satisfies HeadMetric;
