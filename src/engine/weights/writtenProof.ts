import type { OutputTensor } from '../runtime/feeds';
import { toFloats } from '../runtime/feeds';
import type { Proven } from '../files/proofShelf';
import type { HeadRows } from './headTensors';
import type { SiteWeights } from './layerWeights';
import type { WindowedWeights } from './windowedLayer';

/** What an output projection does: `weight[feature * numOut + at]`, and what it adds. */
interface Projection {
  readonly numOut: number;
  readonly weight: Float32Array;
  readonly bias: Float32Array | undefined;
}

/** What shows that a layer's output is the sum of what its heads write; otherwise, in a clause, why it does not add up. */
export type WrittenProof = Proven | { readonly impossible: string };

/** What single precision leaves in a sum; and what rounding to half precision, or to bytes, may leave in a model that does it. */
const tolerance = 2e-4;
const coarseTolerance = 0.15;
/** So many products prove a layer: queries beyond them are left out, evenly. */
const mostProducts = 2e7;

/** A query whose sum is compared: where each head's row of weights begins and each head's values do, in numbers, and the projection's row. */
interface WrittenRow {
  readonly weights: readonly number[];
  readonly values: readonly number[];
  readonly result: number;
}

/**
 * Proves that Σ_h Σ_j α_ij^h v_j^h W_O^h + b equals what the projection gives, in the first item.
 * @param isCoarse whether the model rounds numbers on the way.
 */
export function proveWritten(
  { batch, numHeads, numQueries, numKeys, weights }: SiteWeights,
  values: HeadRows,
  projection: Projection,
  { result, isCoarse }: { readonly result: OutputTensor; readonly isCoarse: boolean },
): WrittenProof {
  const given = toFloats(result);
  if (given === undefined) return { impossible: notNumbers };
  const rows = given.length / (batch * projection.numOut);
  // Padding may stand behind the queries.
  if (!Number.isInteger(rows) || rows < numQueries || (rows > numQueries && batch > 1))
    return { impossible: `its projection gives [${result.dims.join(', ')}], not one row for each query` };
  // Items may be the first axis or the second.
  const isBatchSecond =
    batch > 1 && result.dims.length > 2 && result.dims[0] === numQueries && result.dims[0] !== batch;
  const heads = Array.from({ length: numHeads }, (_, head) => head);
  const ofHeads = heads.map((head) => head * values.numPositions * values.width);
  const queries = Array.from({ length: numQueries }, (_, query): WrittenRow => ({
    weights: heads.map((head) => (head * numQueries + query) * numKeys),
    values: ofHeads,
    result: isBatchSecond ? query * batch : query,
  }));
  return proveRows(queries, { weights, numKeys, values }, projection, { given, isCoarse });
}

/**
 * The same of attention within windows, over all of them: values of the matrices [matrix, key of the window, width], padding among the keys.
 * @param rowOf the projection's row of each query.
 */
export function proveWindows(
  { windows, weights }: Pick<WindowedWeights, 'windows' | 'weights'>,
  values: HeadRows,
  projection: Projection,
  {
    result,
    rowOf,
    isCoarse,
  }: { readonly result: OutputTensor; readonly rowOf: Int32Array; readonly isCoarse: boolean },
): WrittenProof {
  const given = toFloats(result);
  if (given === undefined) return { impossible: notNumbers };
  const numKeys = values.numPositions;
  const rows = windows.flatMap(({ matrices, queries }) => {
    const ofHeads = matrices.map((matrix) => matrix * numKeys * values.width);
    return [...queries].flatMap((query, row): WrittenRow[] =>
      query < 0
        ? []
        : [
            {
              weights: matrices.map((matrix) => (matrix * queries.length + row) * numKeys),
              values: ofHeads,
              result: rowOf[query],
            },
          ],
    );
  });
  return proveRows(rows, { weights, numKeys, values }, projection, { given, isCoarse });
}

const notNumbers = 'what its projection gives did not come out as numbers';

function proveRows(
  rows: readonly WrittenRow[],
  read: WeightedRows,
  projection: Projection,
  { given, isCoarse }: { readonly given: Float32Array; readonly isCoarse: boolean },
): WrittenProof {
  const { numOut } = projection;
  const numProducts = rows.length * (rows[0]?.weights.length ?? 0) * read.values.width * numOut;
  const step = Math.max(1, Math.ceil(numProducts / mostProducts));
  let [largest, scale] = [0, 0];
  for (let at = 0; at < rows.length; at += step) {
    const own = writtenAt(rows[at], read, projection);
    const from = rows[at].result * numOut;
    for (let to = 0; to < numOut; to++) {
      const difference = Math.abs(given[from + to] - own[to]);
      if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
      scale = Math.max(scale, Math.abs(given[from + to]));
    }
  }
  const difference = scale === 0 ? largest : largest / scale;
  if (difference <= tolerance) return { difference, isExact: true };
  if (isCoarse && difference <= coarseTolerance) return { difference, isExact: false };
  return {
    impossible: `what its heads write differs by ${difference === Infinity ? 'no finite number' : difference.toPrecision(2)} of the largest from what its projection gives`,
  };
}

interface WeightedRows {
  readonly weights: Float32Array;
  readonly numKeys: number;
  readonly values: HeadRows;
}

/** What all heads write at one query, and what the projection adds. */
function writtenAt(
  row: WrittenRow,
  { weights, numKeys, values: { data, width } }: WeightedRows,
  { numOut, weight, bias }: Projection,
): Float64Array {
  const written = new Float64Array(numOut);
  if (bias !== undefined) written.set(bias);
  const read = new Float64Array(width);
  row.weights.forEach((from, head) => {
    read.fill(0);
    for (let key = 0; key < numKeys; key++) {
      const share = weights[from + key];
      const at = row.values[head] + key * width;
      if (share !== 0) for (let i = 0; i < width; i++) read[i] += share * data[at + i];
    }
    for (let i = 0, at = head * width * numOut; i < width; i++) {
      const value = read[i];
      for (let to = 0; to < numOut; to++) written[to] += value * weight[at++];
    }
  });
  return written;
}
