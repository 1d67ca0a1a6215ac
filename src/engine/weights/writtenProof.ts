import type { OutputTensor } from '../runtime/feeds';
import { toFloats } from '../runtime/feeds';
import type { Proven } from '../files/proofShelf';
import type { HeadRows } from './headTensors';
import type { SiteWeights } from './layerWeights';

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

/**
 * Proves that Σ_h Σ_j α_ij^h v_j^h W_O^h + b equals what the projection gives, in the first item.
 * @param isCoarse whether the model rounds numbers on the way.
 */
export function proveWritten(
  { batch, numHeads, numQueries, numKeys, weights }: SiteWeights,
  values: HeadRows,
  { numOut, weight, bias }: Projection,
  { result, isCoarse }: { readonly result: OutputTensor; readonly isCoarse: boolean },
): WrittenProof {
  const given = toFloats(result);
  if (given === undefined) return { impossible: 'what its projection gives did not come out as numbers' };
  const rows = given.length / (batch * numOut);
  // Padding may stand behind the queries.
  if (!Number.isInteger(rows) || rows < numQueries || (rows > numQueries && batch > 1))
    return { impossible: `its projection gives [${result.dims.join(', ')}], not one row for each query` };
  const step = Math.max(1, Math.ceil((numQueries * numHeads * values.width * numOut) / mostProducts));
  let [largest, scale] = [0, 0];
  // Items may be the first axis or the second.
  const isBatchSecond =
    batch > 1 && result.dims.length > 2 && result.dims[0] === numQueries && result.dims[0] !== batch;
  for (let query = 0; query < numQueries; query += step) {
    const own = writtenAt({ numHeads, numQueries, numKeys, weights }, values, { numOut, weight, bias }, query);
    const from = (isBatchSecond ? query * batch : query) * numOut;
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

/** What all heads write at one query of the first item, and what the projection adds. */
function writtenAt(
  { numHeads, numQueries, numKeys, weights }: Omit<SiteWeights, 'batch'>,
  { data, numPositions, width }: HeadRows,
  { numOut, weight, bias }: Projection,
  query: number,
): Float64Array {
  const written = new Float64Array(numOut);
  if (bias !== undefined) written.set(bias);
  const read = new Float64Array(width);
  for (let head = 0; head < numHeads; head++) {
    read.fill(0);
    const row = (head * numQueries + query) * numKeys;
    for (let key = 0; key < numKeys; key++) {
      const share = weights[row + key];
      const at = (head * numPositions + key) * width;
      if (share !== 0) for (let i = 0; i < width; i++) read[i] += share * data[at + i];
    }
    for (let i = 0, at = head * width * numOut; i < width; i++) {
      const value = read[i];
      for (let to = 0; to < numOut; to++) written[to] += value * weight[at++];
    }
  }
  return written;
}
