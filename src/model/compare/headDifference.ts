/** How far a head of B is from one of A, over the queries and keys that both texts have. */
export interface HeadDifference {
  /** Mean over the queries of the Jensen–Shannon divergence of their rows, to the base 2, in [0, 1]; NaN where weights are negative, or no query is common. */
  readonly jensenShannon: number;
  /** Mean of |B − A| over all cells that can be read. */
  readonly meanAbsolute: number;
  /** The cell with the largest |B − A|, by units, and B − A there. */
  readonly largest: { readonly query: number; readonly key: number; readonly difference: number };
  /** How much of a row lies on keys that the other text has not, in the mean; of either. */
  readonly unaligned: { readonly a: number; readonly b: number };
}

/** What of rows and columns both texts have, by units. */
export interface CommonUnits {
  readonly queries: Uint8Array;
  readonly keys: Uint8Array;
  /** Whether no query of either reads a later key. */
  readonly isCausal: boolean;
}

/** Rows of both heads over the units of the keys, and what of each lies on no common key. */
export interface RowPair {
  readonly a: Float32Array;
  readonly b: Float32Array;
  /** How much of B's row lies on tokens that are no unit. */
  readonly outsideB: number;
}

/**
 * Adds up how far two heads are from each other, row by row. Neither row is divided by what of it both texts have: JS = ½ Σ_k a_k log₂(a_k/m_k) +
 * ½ Σ_k b_k log₂(b_k/m_k) over the common k, m = ½(a + b) (Lin 1991), which is never negative for parts of distributions either.
 */
export class DifferenceSums {
  readonly #common: CommonUnits;
  #numRows = 0;
  #numCells = 0;
  #divergence = 0;
  #absolute = 0;
  #outsideA = 0;
  #outsideB = 0;
  #largest = { query: 0, key: 0, difference: 0 };

  constructor(common: CommonUnits) {
    this.#common = common;
  }

  /** Adds the row of a unit; one that is not common is left out. */
  add(query: number, { a, b, outsideB }: RowPair): void {
    const { queries, keys, isCausal } = this.#common;
    if (queries[query] === 0) return;
    this.#numRows++;
    this.#outsideB += outsideB;
    for (let key = 0; key < keys.length; key++) {
      if (keys[key] === 0) {
        this.#outsideA += a[key];
        continue;
      }
      if (isCausal && key > query) continue;
      const difference = b[key] - a[key];
      const size = Math.abs(difference);
      this.#numCells++;
      this.#absolute += size;
      if (size > Math.abs(this.#largest.difference)) this.#largest = { query, key, difference };
    }
    this.#divergence += divergence(a, b, keys);
  }

  result(): HeadDifference {
    const { queries, keys } = this.#common;
    const largest =
      this.#largest.difference !== 0
        ? this.#largest
        : { query: Math.max(0, queries.indexOf(1)), key: Math.max(0, keys.indexOf(1)), difference: 0 };
    return {
      jensenShannon: this.#numRows === 0 ? NaN : this.#divergence / this.#numRows,
      meanAbsolute: this.#numCells === 0 ? NaN : this.#absolute / this.#numCells,
      largest,
      unaligned: {
        a: this.#numRows === 0 ? NaN : this.#outsideA / this.#numRows,
        b: this.#numRows === 0 ? NaN : this.#outsideB / this.#numRows,
      },
    };
  }
}

/** The Jensen–Shannon divergence of two rows over the keys that count, in bits; NaN where one is negative. */
function divergence(a: Float32Array, b: Float32Array, keys: Uint8Array): number {
  let sum = 0;
  for (let key = 0; key < keys.length; key++) {
    const [p, q] = [a[key], b[key]];
    if (keys[key] === 0 || (p === 0 && q === 0)) continue;
    if (p < 0 || q < 0) return NaN;
    const mean = (p + q) / 2;
    if (p > 0) sum += (p * Math.log2(p / mean)) / 2;
    if (q > 0) sum += (q * Math.log2(q / mean)) / 2;
  }
  return Math.max(0, sum);
}
