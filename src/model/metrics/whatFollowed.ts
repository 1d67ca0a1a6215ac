import type { HeadRows } from './headRows';
import type { MetricText } from './metricText';

/** Fewer rows whose token occurred before than this say nothing about what a head does there. */
export const minRepeated = 8;

/** Σ_k A_ik over the k ≤ i with x_{k−1} = x_i, of weights from `least`. */
export function weightOnWhatFollowed(rows: HeadRows, { before }: MetricText, least = 0): number {
  let sum = 0;
  for (let earlier = before[rows.query]; earlier >= 0; earlier = before[earlier]) {
    const weight = rows.at(earlier + 1);
    if (weight >= least) sum += weight;
  }
  return sum;
}
