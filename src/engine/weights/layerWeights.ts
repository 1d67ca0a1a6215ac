import type { SiteChecks } from '../../onnx/report/report';
import type { PlacedSite } from '../../onnx/name/describeSites';
import { clearRowsWithoutKey, hasNegative, scanWeights } from './scanWeights';

/** The weights of one site as the runtime gave them. */
export interface RawWeights {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** The weights of one site: `weights[((batch * numHeads + head) * numQueries + query) * numKeys + key]`. */
export interface SiteWeights {
  readonly batch: number;
  readonly numHeads: number;
  readonly numQueries: number;
  readonly numKeys: number;
  readonly weights: Float32Array;
}

/** Brings a site's tensor into the order batch, head, query, key; data that is in that order already is not copied. */
export function arrangeWeights(
  site: Pick<PlacedSite, 'queryAxis' | 'keyAxis'> & Partial<Pick<PlacedSite, 'isUndivided' | 'loop'>>,
  raw: RawWeights,
  batch: number,
): SiteWeights | undefined {
  const axes =
    site.loop !== undefined && site.loop.iteration === undefined
      ? iterationAxes(site, raw.dims)
      : {
          dims: raw.dims,
          queryAxis: raw.dims.length + site.queryAxis,
          keyAxis: site.keyAxis < 0 ? raw.dims.length + site.keyAxis : site.keyAxis,
        };
  if (axes === undefined) return undefined;
  const { dims, queryAxis, keyAxis } = axes;
  if (queryAxis < 0 || queryAxis >= dims.length || keyAxis < 0 || keyAxis >= dims.length || queryAxis === keyAxis)
    return undefined;
  const numQueries = dims[queryAxis];
  const numKeys = dims[keyAxis];
  const leading = dims.filter((_, axis) => axis !== queryAxis && axis !== keyAxis);
  const count = leading.reduce((product, dim) => product * dim, 1);
  // What does not split into the batch is windows, each with heads of its own.
  const numItems = leading.length > 1 ? leading[0] : batch > 0 && count % batch === 0 ? batch : 1;
  let weights = raw.data;
  if (queryAxis !== dims.length - 2 || keyAxis !== dims.length - 1)
    weights = reorder(weights, dims, queryAxis, keyAxis);
  if (site.isUndivided === true) weights = divideRows(weights, numKeys);
  return { batch: numItems, numHeads: numItems === 0 ? 0 : count / numItems, numQueries, numKeys, weights };
}

/** The axes of weights whose first axis is a loop's iterations, the query positions; undefined where an iteration has several queries. */
function iterationAxes(
  site: Pick<PlacedSite, 'queryAxis' | 'keyAxis'>,
  stacked: readonly number[],
): { readonly dims: readonly number[]; readonly queryAxis: number; readonly keyAxis: number } | undefined {
  const rank = stacked.length;
  const own = rank > 2 && site.queryAxis < 0 ? rank + site.queryAxis : 0;
  const key = rank === 2 ? 1 : site.keyAxis < 0 ? rank + site.keyAxis : site.keyAxis + 1;
  if (own < 0 || key < 1 || key >= rank || own === key || (own > 0 && stacked[own] !== 1)) return undefined;
  return {
    dims: own > 0 ? stacked.filter((_, axis) => axis !== own) : stacked,
    queryAxis: 0,
    keyAxis: own > 0 && own < key ? key - 1 : key,
  };
}

function reorder(data: Float32Array, dims: readonly number[], queryAxis: number, keyAxis: number): Float32Array {
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((product, dim) => product * dim, 1));
  const order = [...dims.keys()].filter((axis) => axis !== queryAxis && axis !== keyAxis).concat(queryAxis, keyAxis);
  const result = new Float32Array(data.length);
  const at = order.map(() => 0);
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    result[to] = data[from];
    for (let i = order.length - 1; i >= 0; i--) {
      from += strides[order[i]];
      if (++at[i] < dims[order[i]]) break;
      from -= strides[order[i]] * at[i];
      at[i] = 0;
    }
  }
  return result;
}

function divideRows(data: Float32Array, numKeys: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let row = 0; row + numKeys <= data.length; row += numKeys) {
    let sum = 0;
    for (let i = row; i < row + numKeys; i++) sum += data[i];
    if (sum > 0) for (let i = row; i < row + numKeys; i++) result[i] = data[i] / sum;
  }
  return result;
}

/** The corner of the weights that belongs to the first queries and keys (padding lies behind them). */
export function cropWeights(
  whole: SiteWeights,
  numQueries: number,
  numKeys: number,
  [firstQuery, firstKey]: readonly [number, number] = [0, 0],
): SiteWeights {
  if (numQueries >= whole.numQueries && numKeys >= whole.numKeys) return whole;
  const rows = Math.min(numQueries, whole.numQueries);
  const columns = Math.min(numKeys, whole.numKeys);
  const numMatrices = whole.batch * whole.numHeads;
  const weights = new Float32Array(numMatrices * rows * columns);
  for (let matrix = 0; matrix < numMatrices; matrix++) {
    for (let row = 0; row < rows; row++) {
      const from = (matrix * whole.numQueries + firstQuery + row) * whole.numKeys + firstKey;
      weights.set(whole.weights.subarray(from, from + columns), (matrix * rows + row) * columns);
    }
  }
  return { ...whole, numQueries: rows, numKeys: columns, weights };
}

/**
 * The first of several items of a batch that were all fed the same; undefined where they are not alike. Whether the items come before
 * the heads or within them is told by that: what belongs to one head in two items is equal.
 */
export function firstItem(whole: SiteWeights, numItems: number): SiteWeights | undefined {
  if (numItems === 1) return whole;
  const numMatrices = (whole.batch * whole.numHeads) / numItems;
  const size = whole.numQueries * whole.numKeys;
  if (!Number.isInteger(numMatrices) || numMatrices === 0) return undefined;
  const hasItemsFirst = isAlike(whole.weights, numMatrices * size, (matrix) => [matrix, matrix + numMatrices], size);
  if (hasItemsFirst) {
    const batch = whole.batch % numItems === 0 ? whole.batch / numItems : 1;
    return { ...whole, batch, numHeads: numMatrices / batch, weights: whole.weights.slice(0, numMatrices * size) };
  }
  if (!isAlike(whole.weights, numMatrices * size, (matrix) => [matrix * numItems, matrix * numItems + 1], size))
    return undefined;
  const weights = new Float32Array(numMatrices * size);
  for (let matrix = 0; matrix < numMatrices; matrix++)
    weights.set(whole.weights.subarray(matrix * numItems * size, (matrix * numItems + 1) * size), matrix * size);
  return { ...whole, batch: 1, numHeads: numMatrices, weights };
}

/** Equal matrices are computed by kernels that may take sums in another order. */
const alikeTolerance = 1e-4;

function isAlike(
  weights: Float32Array,
  count: number,
  pairOf: (matrix: number) => readonly [number, number],
  size: number,
): boolean {
  for (let matrix = 0; matrix < count / size; matrix++) {
    const [a, b] = pairOf(matrix);
    // What is not a number is equal to itself here: the checks say it.
    for (let i = 0; i < size; i++)
      if (Math.abs(weights[a * size + i] - weights[b * size + i]) > alikeTolerance) return false;
  }
  return true;
}

/** The largest share of a row that lies in the columns that are cut off. */
export function shareOfPadding(whole: SiteWeights, cropped: SiteWeights): number {
  let largest = 0;
  for (let matrix = 0; matrix < whole.batch * whole.numHeads; matrix++) {
    for (let row = 0; row < cropped.numQueries; row++) {
      let sum = 0;
      const start = (matrix * whole.numQueries + row) * whole.numKeys;
      for (let key = cropped.numKeys; key < whole.numKeys; key++) sum += whole.weights[start + key];
      if (sum > largest) largest = sum;
    }
  }
  return largest;
}

/** Rows may miss their sum by this much; quantised models round more. */
const tolerance = 1e-3;
const coarseTolerance = 2e-2;

/** What {@link checkWeights} compares with. */
export interface Expectation {
  readonly rowSum: PlacedSite['rowSum'];
  /** Whether values were rounded to fewer bits on the way. */
  readonly isCoarse: boolean;
  /** Items that were read; undefined where attention within windows, which come as items of their own, is wanted too. */
  readonly batch: number | undefined;
  /** Numbers of positions that queries and keys must have; undefined where they are not known. */
  readonly numQueries: number | undefined;
  readonly numKeys: number | undefined;
  /** Positions before the first query, which was read by an earlier run. */
  readonly numPast?: number;
}

/** Checks a site's weights: finite, rows sum to what they must, shape fits, and whether they are causal. Rows of no numbers, of queries that may read no key, become rows of zeros. */
export function checkWeights(site: SiteWeights, expected: Expectation): SiteChecks {
  const { weights, numQueries, numKeys, batch, numHeads } = site;
  let scan = scanWeights(weights, numQueries, numKeys, expected.numPast);
  const numWithoutKey = scan.isFinite ? 0 : clearRowsWithoutKey(weights, numKeys);
  if (numWithoutKey > 0) scan = scanWeights(weights, numQueries, numKeys, expected.numPast);
  const { isFinite, smallest, largest, isCausal, reach, mayBeNegative } = scan;
  const shape = [batch, numHeads, numQueries, numKeys];
  const isNegative = (): boolean => mayBeNegative && hasNegative(weights);
  const failure = rowFailure({ shape, isFinite, smallest, largest, isNegative }, expected);
  return {
    isFinite,
    smallestRowSum: smallest,
    largestRowSum: largest,
    isCausal,
    reach,
    shape,
    ...(numWithoutKey > 0 ? { numWithoutKey } : {}),
    failure,
  };
}

/** What was seen of a site's rows. */
export interface RowFacts {
  /** [batch, heads, queries, keys] */
  readonly shape: readonly number[];
  readonly isFinite: boolean;
  /** Asked only where nothing else is wrong. */
  readonly isNegative: () => boolean;
  /** The extreme sums. */
  readonly smallest: number;
  readonly largest: number;
}

/** Why rows are not those of an attention, in one clause; empty where they are. */
export function rowFailure(
  { shape, isFinite, isNegative, smallest, largest }: RowFacts,
  expected: Expectation,
): string {
  const [batch, , numQueries, numKeys] = shape;
  const slack = expected.isCoarse ? coarseTolerance : tolerance;
  if (shape.includes(0)) return `its shape [${shape.join(', ')}] holds nothing`;
  if (!isFinite) return 'it holds numbers that are not finite';
  if (expected.batch !== undefined && batch !== expected.batch)
    return `it is computed within ${batch} windows, not over the whole sequence`;
  const wanted = [expected.numQueries ?? numQueries, expected.numKeys ?? numKeys];
  if (numQueries !== wanted[0] || numKeys !== wanted[1])
    return `its shape [${numQueries}, ${numKeys}] does not agree with the ${[...new Set(wanted)].join(' and ')} positions that were read`;
  if (expected.rowSum === 'any') return '';
  if (isNegative()) return 'it holds negative weights';
  if (largest > 1 + slack) return `a row sums to ${largest.toFixed(4)}`;
  if (expected.rowSum === 'one' && largest > 0 && smallest < 1 - slack) return `a row sums to ${smallest.toFixed(4)}`;
  return '';
}
