import type { SiteChecks } from '../../onnx/report/report';
import type { HeadSummary } from '../weights/heldLayer';
import { rowFailure, type Expectation } from '../weights/layerWeights';

interface Floats {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** What a graph gives of a site in place of its weights, for [1, heads, queries, keys]. */
export interface Reductions {
  /** [1, heads, keys] */
  readonly columnMeans: Floats;
  /** [1, heads, queries] */
  readonly rowSums: Floats;
  /** The same before rows of no numbers were cleared, where they were. */
  readonly givenSums?: Floats;
  /** The least of each row, [1, heads, queries], where weights may be negative. */
  readonly rowMinima?: Floats;
  /** Maxima of blocks of so many queries and keys. */
  readonly pooled: Floats;
  readonly block: readonly [number, number];
  /** Exact rows of the queries `samples`, [1, heads, samples, keys]. */
  readonly sampleRows: Floats;
  readonly samples: readonly number[];
}

/** Checks a site by its reductions as its weights would be checked: all row sums; negative weights, window and causality as far as blocks and sample rows show them. */
export function checkReductions(reductions: Reductions, expected: Omit<Expectation, 'batch'>): SiteChecks {
  const { rowSums, givenSums, rowMinima, columnMeans, sampleRows, samples, block } = reductions;
  const numHeads = rowSums.dims[1] ?? 0;
  const numQueries = rowSums.dims[2] ?? 0;
  const numKeys = columnMeans.dims[2] ?? 0;
  const numWithoutKey = givenSums?.data.filter(Number.isNaN).length ?? 0;
  // Where no row holds numbers, nothing is to be drawn.
  let isFinite = numWithoutKey === 0 || numWithoutKey < rowSums.data.length;
  let smallest = Infinity;
  let largest = -Infinity;
  for (const sum of rowSums.data) {
    if (!Number.isFinite(sum)) isFinite = false;
    // A row that may read nothing is all zero.
    if (sum !== 0 && sum < smallest) smallest = sum;
    if (sum > largest) largest = sum;
  }
  if (smallest === Infinity) smallest = largest === -Infinity ? 0 : largest;
  let isNegative = rowMinima?.data.some((least) => least < 0) === true;
  let isCausal = numQueries === numKeys && numQueries > 1 && block[0] === block[1] && !readsAhead(reductions);
  let reach = 0;
  sampleRows.data.forEach((weight, i) => {
    if (weight < 0) isNegative = true;
    if (weight === 0) return;
    const query = samples[Math.floor(i / numKeys) % samples.length];
    const key = i % numKeys;
    if (key > query) isCausal = false;
    else if (query - key >= reach) reach = query - key + 1;
  });
  const shape = [1, numHeads, numQueries, numKeys];
  const failure = rowFailure(
    { shape, isFinite, isNegative: () => isNegative, smallest, largest },
    { ...expected, batch: 1 },
  );
  return {
    isFinite,
    smallestRowSum: smallest,
    largestRowSum: largest === -Infinity ? 0 : largest,
    isCausal,
    reach,
    shape,
    ...(numWithoutKey > 0 ? { numWithoutKey } : {}),
    failure,
  };
}

/** Whether any block that lies wholly ahead of its queries holds weight. */
function readsAhead({ pooled: { dims, data } }: Reductions): boolean {
  const [, numHeads = 0, rows = 0, columns = 0] = dims;
  for (let head = 0; head < numHeads; head++) {
    for (let row = 0; row < rows; row++) {
      for (let column = row + 1; column < columns; column++)
        if (data[(head * rows + row) * columns + column] !== 0) return true;
    }
  }
  return false;
}

/** The summaries of every head. */
export function summarize({ pooled, columnMeans, rowSums, block }: Reductions): HeadSummary[] {
  const [, numHeads = 0, rows = 0, columns = 0] = pooled.dims;
  const numQueries = rowSums.dims[2] ?? 0;
  const numKeys = columnMeans.dims[2] ?? 0;
  return Array.from({ length: numHeads }, (_, head) => ({
    pooled: {
      numQueries: rows,
      numKeys: columns,
      weights: pooled.data.subarray(head * rows * columns, (head + 1) * rows * columns),
    },
    block,
    columnSums: Float64Array.from(
      columnMeans.data.subarray(head * numKeys, (head + 1) * numKeys),
      (mean) => mean * numQueries,
    ),
  }));
}
