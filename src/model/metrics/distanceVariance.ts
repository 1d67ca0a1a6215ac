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
      value: () => (count > 0 ? variance(first / count, second / count) : 0),
    };
  },
  ofTotals: ({ distance, squaredDistance, numQueries }) =>
    variance(distance / numQueries, squaredDistance / numQueries),
} as const satisfies HeadMetric;

/** From the means of a number and of its square: of one number alone the two are the same but for rounding. */
function variance(mean: number, meanOfSquares: number): number {
  return Math.max(0, meanOfSquares - mean ** 2);
}
