import { isWithinOneText, meanOver, type HeadMetric } from './metric';
import { lagSum } from './patternTotals';

/** How much a token reads the one before. */
export const previousToken = {
  id: 'previousToken',
  title: 'previous token',
  definition: 'Mean weight on the token before.',
  formula: 'mean_{i>0} A_{i,i−1}',
  source: 'HeadVis, Neuronpedia',
  unit: 'share',
  needs: [],
  isFinding: true,
  applies: isWithinOneText,
  rows: ({ numQueries }) => numQueries - 1,
  leastRows: 1,
  compute: () =>
    meanOver(
      (rows) => rows.at(rows.query - 1),
      ({ query }) => query > 0,
    ),
  ofTotals: (totals) => lagSum(totals, -1) / (totals.numQueries - 1),
} as const satisfies HeadMetric;
