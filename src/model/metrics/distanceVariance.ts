import { isWithinOneText, type HeadMetric } from './metric';

/** How differently far a head reads. */
export const distanceVariance = {
  id: 'distanceVariance',
  title: 'variance of distance',
  definition: 'Variance of the distance to what is read, over all weights, in tokens squared.',
  formula: 'E[d²] − E[d]², E[d] = mean_i Σ_j A_ij |i − j|',
  source: 'HeadVis, Neuronpedia',
  unit: 'squaredTokens',
  needs: [],
  applies: isWithinOneText,
  rows: ({ numQueries }) => numQueries,
  leastRows: 1,
  compute: () => {
    let [count, first, second] = [0, 0, 0];
    return {
      add: (rows) => {
        count++;
        first += rows.distance;
        second += rows.squaredDistance;
      },
      // Of one distance alone the two are the same but for rounding.
      value: () => (count > 0 ? Math.max(0, second / count - (first / count) ** 2) : 0),
    };
  },
} as const satisfies HeadMetric;
