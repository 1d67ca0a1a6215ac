/** The head that is nearest to another one, and how far it is. */
export interface HeadMatch {
  /** Its index among those that were looked at. */
  readonly head: number;
  /** Mean over the rows of the Jensen–Shannon divergence, to the base 2. */
  readonly jensenShannon: number;
}

/** Finds of a text's heads the one that is nearest to a head of another: by rows over the keys that both texts have. */
export class HeadMatcher {
  readonly #heads: readonly Float32Array[];
  readonly #entropies: readonly number[];
  readonly #numRows: number;

  /** @param heads the rows of each, one after the other, all of one shape. */
  constructor(heads: readonly Float32Array[], numRows: number) {
    this.#heads = heads;
    this.#numRows = numRows;
    this.#entropies = heads.map(entropy);
  }

  /**
   * The nearest head (of several that are as near the first); undefined where none can be compared, as weights are negative.
   * JS = H(½(a + b)) − ½ H(a) − ½ H(b) with H(p) = −Σ p log₂ p takes one logarithm a cell (Lin 1991).
   */
  nearest(rows: Float32Array): HeadMatch | undefined {
    const own = entropy(rows);
    let found: HeadMatch | undefined;
    for (const [head, other] of this.#heads.entries()) {
      const divergence = Math.max(0, entropyOfMean(rows, other) - (own + this.#entropies[head]) / 2) / this.#numRows;
      if (divergence < (found?.jensenShannon ?? Infinity)) found = { head, jensenShannon: divergence };
    }
    return found;
  }
}

/** −Σ p log₂ p; NaN where a number is negative. */
function entropy(weights: Float32Array): number {
  let sum = 0;
  for (const weight of weights) if (weight !== 0) sum -= weight * Math.log2(weight);
  return sum;
}

function entropyOfMean(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const mean = (a[i] + b[i]) / 2;
    if (mean !== 0) sum -= mean * Math.log2(mean);
  }
  return sum;
}
