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
    meanOver((rows) => {
      let sum = 0;
      for (const key of delimiterKeys) sum += rows.at(key);
      return sum;
    }),
} as const satisfies HeadMetric;
