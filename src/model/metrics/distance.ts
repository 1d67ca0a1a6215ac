import { isWithinOneText, meanOver, type HeadMetric } from './metric';

/** How far away a head reads. */
export const distance = {
  id: 'distance',
  title: 'distance',
  definition: 'Mean distance to what is read, in tokens.',
  formula: 'mean_i Σ_j A_ij |i − j|',
  source: 'HeadVis, Neuronpedia',
  unit: 'tokens',
  needs: [],
  applies: isWithinOneText,
  rows: ({ numQueries }) => numQueries,
  leastRows: 1,
  compute: () => meanOver((rows) => rows.distance),
  ofTotals: ({ distance: sum, numQueries }) => sum / numQueries,
} as const satisfies HeadMetric;
