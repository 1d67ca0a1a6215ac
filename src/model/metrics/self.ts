import { isWithinOneText, meanOver, type HeadMetric } from './metric';
import { lagSum } from './patternTotals';

/** How much a token reads itself. */
export const self = {
  id: 'self',
  title: 'itself',
  definition: 'Mean weight of a token on itself.',
  formula: 'mean_i A_ii',
  source: 'HeadVis, Neuronpedia',
  unit: 'share',
  needs: [],
  isFinding: true,
  applies: isWithinOneText,
  rows: ({ numQueries }) => numQueries,
  leastRows: 1,
  compute: () => meanOver((rows) => rows.at(rows.query)),
  ofTotals: (totals) => lagSum(totals, 0) / totals.numQueries,
} as const satisfies HeadMetric;
