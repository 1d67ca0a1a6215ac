import type { WeightedValues } from '../../onnx/name/site';
import { toFloats, type OutputTensor } from '../runtime/feeds';
import { itemsAndHeads } from './headTensors';
import type { SiteWeights } from '../weights/layerWeights';

/** How far what comes out may lie from values weighted by the weights, by the largest of what comes out. */
const tolerance = 1e-3;
const coarseTolerance = 3e-2;

/** What a proof came to: the largest difference as a part of the largest number, or, in a clause, why it could not be made. */
export type Proof = { readonly difference: number; readonly failure: string } | { readonly unproven: string };

/** Values of one head: where they begin, and how far positions and features lie apart. */
interface Strides {
  readonly at: number;
  readonly position: number;
  readonly feature: number;
}

interface Arranged {
  readonly data: Float32Array;
  readonly numPositions: number;
  readonly size: number;
  readonly numHeads: number;
  readonly of: (item: number, head: number) => Strides;
}

/**
 * Proves that weights are those that an attention used: values times weights equal what it gave, to its precision.
 * @param isCoarse whether values are rounded to few bits on the way.
 */
export function proveWeights(
  site: SiteWeights,
  how: WeightedValues,
  tensors: { readonly values: OutputTensor | undefined; readonly result: OutputTensor | undefined },
  isCoarse: boolean,
): Proof {
  const values = arrange(tensors.values, site, { layout: how.layout, numMerged: how.numValueHeads, from: how.from });
  const result = arrange(tensors.result, site, { layout: how.resultLayout, numMerged: site.numHeads, from: 0 });
  if (
    values === undefined ||
    result === undefined ||
    values.size !== result.size ||
    values.numPositions < site.numKeys ||
    result.numPositions < site.numQueries ||
    site.numHeads % values.numHeads !== 0
  )
    return { unproven: 'values and result are not laid out in a way that is known' };
  const difference = largestDifference(site, how.hasBias, values, result);
  return {
    difference,
    failure:
      difference <= (isCoarse ? coarseTolerance : tolerance)
        ? ''
        : `values weighted by it ${difference === Infinity ? 'are numbers, and what the attention gives are none' : `differ by ${difference.toPrecision(2)} of the largest from what the attention gives`}`,
  };
}

/** The largest difference between values weighted and what the attention gave, as a part of the largest number of that. */
function largestDifference(
  { batch, numHeads, numQueries, numKeys, weights }: SiteWeights,
  hasBias: boolean,
  values: Arranged,
  result: Arranged,
): number {
  const [shift, own] = [new Float64Array(values.size), new Float64Array(values.size)];
  let largest = 0;
  let scale = 0;
  for (let item = 0; item < batch; item++) {
    for (let head = 0; head < numHeads; head++) {
      const from = values.of(item, Math.floor((head * values.numHeads) / numHeads));
      const to = result.of(item, head);
      let isFirst = true;
      for (let query = 0; query < numQueries; query++) {
        const row = ((item * numHeads + head) * numQueries + query) * numKeys;
        own.fill(0);
        let sum = 0;
        for (let key = 0; key < numKeys; key++) {
          const weight = weights[row + key];
          sum += weight;
          if (weight !== 0)
            for (let i = 0, at = from.at + key * from.position; i < own.length; i++, at += from.feature)
              own[i] += weight * values.data[at];
        }
        // Of a query that reads no key, nothing is known.
        if (sum === 0) continue;
        // What is added to all values alike is added to each weighted mean of them.
        for (let i = 0, at = to.at + query * to.position; i < own.length; i++, at += to.feature) {
          const given = result.data[at];
          if (isFirst) shift[i] = hasBias ? given - own[i] : 0;
          const difference = Math.abs(given - own[i] - shift[i]);
          if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
          if (Math.abs(given) > scale) scale = Math.abs(given);
        }
        isFirst = false;
      }
    }
  }
  return scale === 0 ? largest : largest / scale;
}

/** How a tensor holds its heads. */
interface HeadLayout {
  readonly layout: WeightedValues['layout'];
  /** Heads that are side by side in one row. */
  readonly numMerged: number | undefined;
  /** The feature that the first of them begins at. */
  readonly from: number;
}

function arrange(
  tensor: OutputTensor | undefined,
  { batch, numHeads }: SiteWeights,
  { layout, numMerged, from }: HeadLayout,
): Arranged | undefined {
  const data = tensor === undefined ? undefined : toFloats(tensor);
  const dims = tensor?.dims ?? [];
  if (data === undefined || dims.length < 2 || data.length === 0) return undefined;
  if (layout === 'merged') {
    if (dims.length !== 3 || dims[0] !== batch || numMerged === undefined) return undefined;
    const [, numPositions, width] = dims;
    const size = (width - from) / numMerged;
    return Number.isInteger(size)
      ? {
          data,
          numPositions,
          size,
          numHeads: numMerged,
          of: (item, head) => ({
            at: item * numPositions * width + from + head * size,
            position: width,
            feature: 1,
          }),
        }
      : undefined;
  }
  const [rows, columns] = layout === 'single' ? [1, dims[dims.length - 1]] : dims.slice(-2);
  const count = data.length / (rows * columns);
  const numOwn = itemsAndHeads(count, { batch, numHeads });
  if (numOwn === undefined) return undefined;
  const [ownItems, ownHeads] = numOwn;
  const isTurned = layout === 'turned';
  return {
    data,
    numPositions: isTurned ? columns : rows,
    size: isTurned ? rows : columns,
    numHeads: ownHeads,
    of: (item, head) => ({
      at: ((ownItems === 1 ? 0 : item) * ownHeads + (ownHeads === 1 ? 0 : head)) * rows * columns,
      position: isTurned ? 1 : columns,
      feature: isTurned ? columns : 1,
    }),
  };
}
