import { marginals, type Pattern } from './pattern';

/** What one head does on one text: shares in [0, 1], but for `distance` and a bidirectional head's `entropy`. */
export interface HeadMetrics {
  /** mean_i A_ii. */
  readonly self: number;
  /** mean_i A_{i,i−1}. */
  readonly previousToken: number;
  /** mean_i −Σ_j A_ij log A_ij, in nats; for a causal head each row is divided by log(i + 1), and the first row left out. */
  readonly entropy: number;
  /** mean_i Σ_j A_ij |i − j|, in tokens. */
  readonly distance: number;
  /** mean_i A_{i,k} summed over the k ≤ i with x_{k−1} = x_i (Olsson et al. 2022). */
  readonly induction: number;
  /** mean_i Σ_{j<i, x_j = x_i} A_ij. */
  readonly duplicateToken: number;
  /** The largest α_k = mean_{i≥k} A_ik over the columns k that at least eight queries can read (Gu et al. 2024, arXiv 2410.10781). */
  readonly sinkMass: number;
  /** The column that has it. */
  readonly sinkKey: number;
}

/** Fewer readers than this make no sink. */
const minReaders = 8;

/** The metrics of a self-attention pattern over tokens with these ids (one per row and column). */
export function headMetrics(pattern: Pattern, ids: ArrayLike<number>, isCausal: boolean): HeadMetrics {
  const { numQueries: n, numKeys, weights } = pattern;
  let self = 0;
  let previousToken = 0;
  let entropy = 0;
  let distance = 0;
  let induction = 0;
  let duplicateToken = 0;
  for (let i = 0; i < n; i++) {
    const row = i * numKeys;
    let rowEntropy = 0;
    for (let j = 0; j < numKeys; j++) {
      const weight = weights[row + j];
      if (!(weight > 0)) continue;
      rowEntropy -= weight * Math.log(weight);
      distance += weight * Math.abs(i - j);
      if (j <= i && j > 0 && ids[j - 1] === ids[i]) induction += weight;
      if (j < i && ids[j] === ids[i]) duplicateToken += weight;
    }
    if (!isCausal) entropy += rowEntropy;
    else if (i > 0) entropy += rowEntropy / Math.log(i + 1);
    self += weights[row + i] ?? 0;
    if (i > 0) previousToken += weights[row + i - 1];
  }
  const { columnMeans } = marginals(pattern, isCausal);
  let sinkKey = 0;
  // The last columns of a causal pattern have so few readers that their means say nothing.
  const numColumns = isCausal ? Math.max(1, n - minReaders + 1) : numKeys;
  for (let key = 1; key < numColumns; key++) if (columnMeans[key] > columnMeans[sinkKey]) sinkKey = key;
  const mean = (sum: number, count: number): number => (count > 0 ? sum / count : 0);
  return {
    self: mean(self, n),
    previousToken: mean(previousToken, n - 1),
    entropy: mean(entropy, n - (isCausal ? 1 : 0)),
    distance: mean(distance, n),
    induction: mean(induction, n),
    duplicateToken: mean(duplicateToken, n),
    sinkMass: columnMeans[sinkKey] ?? 0,
    sinkKey,
  };
}
