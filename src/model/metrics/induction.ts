import { isWithinOneText, meanOver, type HeadMetric } from './metric';
import { minRepeated, weightOnWhatFollowed } from './whatFollowed';

/** How much a token reads what followed it earlier. */
export const induction = {
  id: 'induction',
  title: 'induction (all rows)',
  definition: 'Mean weight, over all tokens, on what came next after an earlier occurrence of the token.',
  formula: 'mean_i Σ_k A_ik over k ≤ i with x_{k−1} = x_i',
  source: 'Olsson et al. 2022; TransformerLens',
  unit: 'share',
  needs: ['ids'],
  applies: isWithinOneText,
  rows: ({ numRepeated }) => numRepeated,
  leastRows: minRepeated,
  compute: (text) => meanOver((rows) => weightOnWhatFollowed(rows, text)),
  ofTotals: ({ followed, numQueries }) => followed / numQueries,
} as const satisfies HeadMetric;
