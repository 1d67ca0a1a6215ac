import { isWithinOneText, meanOver, type HeadMetric } from './metric';
import { minRepeated } from './whatFollowed';

/** How much a token reads earlier occurrences of itself. */
export const duplicateToken = {
  id: 'duplicateToken',
  title: 'same token before',
  definition: 'Mean weight on earlier occurrences of the token.',
  formula: 'mean_i Σ_j A_ij over j < i with x_j = x_i',
  source: 'Wang et al. 2022; TransformerLens',
  unit: 'share',
  needs: ['ids'],
  isFinding: true,
  applies: isWithinOneText,
  rows: ({ numRepeated }) => numRepeated,
  leastRows: minRepeated,
  compute: ({ before }) =>
    meanOver((rows) => {
      let sum = 0;
      for (let earlier = before[rows.query]; earlier >= 0; earlier = before[earlier]) sum += rows.at(earlier);
      return sum;
    }),
  ofTotals: ({ earlier, numQueries }) => earlier / numQueries,
} as const satisfies HeadMetric;
