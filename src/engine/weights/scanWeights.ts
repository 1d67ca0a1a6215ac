import { kernelHolding, type WeightKernel } from '../runtime/weightKernel';

// One look at every weight of a run: it is on the way of each run, so its loops are plain ones that the compiler keeps in registers.

/** What the rows of a site's weights are like. */
export interface WeightScan {
  readonly isFinite: boolean;
  /** Sums of rows; rows of nothing but zeros do not count as the smallest. */
  readonly smallest: number;
  readonly largest: number;
  /** Whether no query reads a later key. */
  readonly isCausal: boolean;
  /** How far back a query reads at most: 1 for itself alone. */
  readonly reach: number;
  /** Whether a weight may be below zero: false where none has a sign. */
  readonly mayBeNegative: boolean;
}

/** Scans weights of shape [matrix, query, key], the first query being position `numPast`; all is 0 where there are none. */
export function scanWeights(weights: Float32Array, numQueries: number, numKeys: number, numPast = 0): WeightScan {
  const kernel = kernelHolding(weights);
  if (kernel !== undefined && weights.length > 0)
    return scanByKernel(kernel, weights, { numQueries, numKeys, numPast });
  const numRows = numKeys === 0 ? 0 : weights.length / numKeys;
  const isCausal = numQueries + numPast === numKeys && numKeys > 1 && isZeroAfterDiagonal(weights, numQueries, numKeys);
  const sums = sumRows(weights, numQueries, numKeys, isCausal);
  let isFinite = true;
  let smallest = Infinity;
  let largest = -Infinity;
  for (const sum of sums) {
    if (!Number.isFinite(sum)) isFinite = false;
    // A row that may read nothing is all zero.
    if (sum !== 0 && sum < smallest) smallest = sum;
    if (sum > largest) largest = sum;
  }
  if (smallest === Infinity) smallest = largest === -Infinity ? 0 : largest;
  return {
    isFinite,
    smallest,
    largest: numRows === 0 ? 0 : largest,
    isCausal,
    reach: findReach(weights, numQueries, numKeys, numPast),
    mayBeNegative: true,
  };
}

/** The same of weights that lie in a kernel's memory. */
function scanByKernel(
  { exports: { scan }, buffer, scanned }: WeightKernel,
  weights: Float32Array,
  { numQueries, numKeys, numPast }: { readonly numQueries: number; readonly numKeys: number; readonly numPast: number },
): WeightScan {
  const sums = new Float64Array(buffer, scanned, 2);
  sums.set([Infinity, -Infinity]);
  const end = weights.byteOffset + weights.byteLength;
  let found = 0;
  for (let at = weights.byteOffset; at < end; at += numQueries * numKeys * weights.BYTES_PER_ELEMENT)
    found |= scan(at, numQueries, numKeys, numKeys - numQueries + 1, scanned);
  const [smallest, largest] = sums;
  return {
    isFinite: (found & 1) === 0,
    smallest: smallest !== Infinity ? smallest : largest === -Infinity ? 0 : largest,
    largest,
    isCausal: numQueries + numPast === numKeys && numKeys > 1 && (found & 2) === 0,
    reach: findReach(weights, numQueries, numKeys, numPast),
    mayBeNegative: (found & 4) !== 0,
  };
}

/** Whether a weight is less than zero. */
export function hasNegative(weights: Float32Array): boolean {
  // The sign is a bit: most weights have none anywhere, which four at a time tell soonest. What else has one is -0 or NaN.
  const bits = bitsOf(weights);
  const numFours = bits.length & ~3;
  let all = 0;
  for (let i = 0; i < numFours; i += 4) all |= bits[i] | bits[i + 1] | bits[i + 2] | bits[i + 3];
  for (let i = numFours; i < bits.length; i++) all |= bits[i];
  return all < 0 && weights.some((weight) => weight < 0);
}

function bitsOf(weights: Float32Array): Int32Array {
  return new Int32Array(weights.buffer, weights.byteOffset, weights.length);
}

/** For queries that are the last of the keys' positions. */
function isZeroAfterDiagonal(weights: Float32Array, numQueries: number, numKeys: number): boolean {
  const bits = bitsOf(weights);
  for (let row = 0, start = 0; start < bits.length; row = row + 1 === numQueries ? 0 : row + 1, start += numKeys) {
    let all = 0;
    for (let i = start + numKeys - numQueries + row + 1; i < start + numKeys; i++) all |= bits[i];
    if (all << 1 !== 0) return false; // beside the sign of -0
  }
  return true;
}

/** Adds up every row in the order of its keys. Four rows at a time: each sum waits for its own last addition only. */
function sumRows(weights: Float32Array, numQueries: number, numKeys: number, isCausal: boolean): Float64Array {
  const numRows = numKeys === 0 ? 0 : weights.length / numKeys;
  const sums = new Float64Array(numRows);
  const numFours = numRows & ~3;
  for (let row = 0; row < numFours; row += 4) {
    // In a causal matrix only zeros follow the row's own key.
    const last = (row % numQueries) + 3;
    const numRead = isCausal && last < numQueries ? numKeys - numQueries + last + 1 : numKeys;
    const second = numKeys;
    const third = 2 * numKeys;
    const fourth = 3 * numKeys;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    const start = row * numKeys;
    for (let i = start; i < start + numRead; i++) {
      a += weights[i];
      b += weights[i + second];
      c += weights[i + third];
      d += weights[i + fourth];
    }
    sums[row] = a;
    sums[row + 1] = b;
    sums[row + 2] = c;
    sums[row + 3] = d;
  }
  for (let row = numFours; row < numRows; row++) {
    let sum = 0;
    for (let i = row * numKeys; i < (row + 1) * numKeys; i++) sum += weights[i];
    sums[row] = sum;
  }
  return sums;
}

/** The longest way back from a query to a key that it reads; of each row only keys farther back than the farthest so far are looked at. */
function findReach(weights: Float32Array, numQueries: number, numKeys: number, numPast: number): number {
  const numRows = numKeys === 0 ? 0 : weights.length / numKeys;
  let reach = 0;
  for (let row = 0; row < numRows; row++) {
    const query = numPast + (row % numQueries);
    const end = Math.min(numKeys, query - reach + 1);
    for (let key = 0; key < end; key++) {
      if (weights[row * numKeys + key] === 0) continue;
      reach = query - key + 1;
      break;
    }
  }
  return reach;
}

/**
 * Puts zeros in the place of rows in which no number is one: a softmax over nothing, of a query that may read no key. Returns how
 * many there were. A row that is a number here and there is left as it is, and so are weights without any row of numbers.
 */
export function clearRowsWithoutKey(weights: Float32Array, numKeys: number): number {
  const rows: number[] = [];
  for (let start = 0; numKeys > 0 && start < weights.length; start += numKeys) {
    let key = 0;
    while (key < numKeys && Number.isNaN(weights[start + key])) key++;
    if (key === numKeys) rows.push(start);
  }
  if (rows.length * numKeys === weights.length) return 0;
  for (const start of rows) weights.fill(0, start, start + numKeys);
  return rows.length;
}
