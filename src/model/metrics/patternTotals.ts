/** What is added up over the cells of one head's pattern: what its metrics need, where they are wanted of many patterns. */
export interface PatternTotals {
  readonly numQueries: number;
  /** Σ_i A_ij of each key. */
  readonly columnSums: Float64Array;
  /** The same of weights above zero, and so are the sums over distances. */
  readonly positiveColumnSums: Float64Array;
  /** Σ A_ij over the cells of each lag: `lags[j − i + numQueries − 1]`. */
  readonly lags: Float64Array;
  /** Σ_ij A_ij |i − j|, in tokens. */
  readonly distance: number;
  /** Σ_ij A_ij (i − j)², in tokens squared. */
  readonly squaredDistance: number;
  /** −Σ_j A_ij log A_ij of each query, in nats. */
  readonly entropies: Float64Array;
  /** Σ A_ij over j < i with x_j = x_i. */
  readonly earlier: number;
  /** Σ A_ik over k ≤ i with x_{k−1} = x_i, of weights from zero, and the same of weights from {@link leastWeight}. */
  readonly followed: number;
  readonly followedFirmly: number;
}

/** What is read with less is not counted as read firmly. */
export const leastWeight = 0.01;

/** The sum over the cells whose key is so many positions after its query. */
export function lagSum({ lags, numQueries }: PatternTotals, ahead: number): number {
  return lags[ahead + numQueries - 1] ?? 0;
}
