import type { LayerInfo } from '../../model/head';

/** Rows whose sums are as near to one are shares; half precision is off by less. */
const shareTolerance = 0.01;

/** What the rows of a layer are. */
export interface ScannedRows {
  readonly normalization: LayerInfo['normalization'];
  /** Whether no query reads a key behind its own place. */
  readonly isCausal: boolean;
}

/** Looks at every number of a layer once: what rows sum to, and whether queries read what stands behind them. Throws what `noNumber` makes of a row that has what is none. */
export function scanRows(
  weights: Float32Array,
  { numQueries, numKeys }: { readonly numQueries: number; readonly numKeys: number },
  noNumber: (row: number) => Error,
): ScannedRows {
  let [smallest, largest] = [Infinity, -Infinity];
  let isCausal = numQueries === numKeys;
  let isNegative = false;
  for (let at = 0, row = 0; at < weights.length; at += numKeys, row++) {
    const end = at + numKeys;
    // Four sums at a time: each addition would wait for the one before.
    let one = 0;
    let two = 0;
    let three = 0;
    let four = 0;
    let i = at;
    for (; i + 4 <= end; i += 4) {
      const a = weights[i];
      const b = weights[i + 1];
      const c = weights[i + 2];
      const d = weights[i + 3];
      one += a;
      two += b;
      three += c;
      four += d;
      if (a < 0 || b < 0 || c < 0 || d < 0) isNegative = true;
    }
    for (; i < end; i++) {
      one += weights[i];
      if (weights[i] < 0) isNegative = true;
    }
    const sum = one + two + (three + four);
    if (!Number.isFinite(sum)) throw noNumber(row);
    if (isCausal) isCausal = areZeros(weights, at + (row % numQueries) + 1, end);
    if (sum < smallest) smallest = sum;
    if (sum > largest) largest = sum;
  }
  const areShares = !isNegative && largest <= 1 + shareTolerance;
  return { normalization: !areShares ? 'unnormalized' : smallest >= 1 - shareTolerance ? 'softmax' : 'sink', isCausal };
}

function areZeros(numbers: Float32Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (numbers[i] !== 0) return false;
  return true;
}
