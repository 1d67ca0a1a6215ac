import type { HeadTensor } from '../../onnx/name/taps';
import { toFloats, type OutputTensor } from '../runtime/feeds';

/** What a tensor holds for each head: `data[((item * numHeads + head) * numPositions + position) * width + feature]`. */
export interface HeadRows {
  readonly batch: number;
  readonly numHeads: number;
  readonly numPositions: number;
  readonly width: number;
  readonly data: Float32Array;
}

/** Of what an attention has: items of its batch, its heads, and how many of the tensor's positions are meant; all where it is missing. */
export interface HeadsWanted {
  readonly batch: number;
  readonly numHeads: number;
  readonly numPositions?: number;
}

/** The head of a tensor with fewer heads that an attention's head reads: ⌊h · own / heads⌋ (grouped queries: Ainslie et al. 2023). */
const ownHeadOf = (head: number, numHeads: number, numOwn: number): number => Math.floor((head * numOwn) / numHeads);

/**
 * Queries, keys or values of each of an attention's heads, [batch, head, position, width]; of grouped queries, keys and values are
 * repeated for each head that reads them. Otherwise, in a clause, why the tensor cannot be read so.
 */
export function arrangeHeads(tensor: OutputTensor, how: HeadTensor, wanted: HeadsWanted): HeadRows | string {
  const data = toFloats(tensor);
  if (data === undefined) return 'it did not come out as numbers of single or half precision';
  const { batch, numHeads } = wanted;
  const strides = stridesOf(tensor.dims, how, wanted);
  if (strides === undefined) return `its shape [${tensor.dims.join(', ')}] is not laid out in a way that is known`;
  const numPositions = wanted.numPositions ?? strides.numPositions;
  if (numPositions > strides.numPositions || numPositions === 0 || strides.width === 0)
    return `its shape [${tensor.dims.join(', ')}] does not hold ${numPositions} positions`;
  const { width } = strides;
  const result = new Float32Array(batch * numHeads * numPositions * width);
  let to = 0;
  for (let item = 0; item < batch; item++)
    for (let head = 0; head < numHeads; head++) {
      const from = strides.of(item, ownHeadOf(head, numHeads, strides.numHeads));
      for (let position = 0; position < numPositions; position++) {
        let at = from + position * strides.position;
        if (strides.feature === 1) {
          result.set(data.subarray(at, at + width), to);
          to += width;
        } else for (let i = 0; i < width; i++, at += strides.feature) result[to++] = data[at];
      }
    }
  return { batch, numHeads, numPositions, width, data: result };
}

/** Of how many items and heads so many matrices of a tensor are, either of which may be one for all; undefined where they are of none. */
export function itemsAndHeads(
  count: number,
  { batch, numHeads }: Pick<HeadsWanted, 'batch' | 'numHeads'>,
): readonly [items: number, heads: number] | undefined {
  if (count === 1) return [1, 1];
  if (count % batch === 0 && numHeads % (count / batch) === 0) return [batch, count / batch];
  return numHeads % count === 0 ? [1, count] : undefined;
}

/** Where a tensor's heads lie in its data. */
export interface HeadStrides {
  readonly numHeads: number;
  readonly numPositions: number;
  readonly width: number;
  readonly position: number;
  readonly feature: number;
  /** Where the rows of an item's head begin. */
  readonly of: (item: number, head: number) => number;
}

/** Where each of an attention's heads lies in a tensor of such dimensions; undefined where that is not known. */
export function stridesOf(
  dims: readonly number[],
  { positionAxis, featureAxis, merged }: HeadTensor,
  { batch, numHeads }: HeadsWanted,
): HeadStrides | undefined {
  const rank = dims.length;
  if (merged !== undefined && rank === 3) {
    const [ownItems, numPositions, whole] = dims;
    const width = whole / merged.all;
    if (!Number.isInteger(width) || (ownItems !== batch && ownItems !== 1) || numHeads % merged.numHeads !== 0)
      return undefined;
    return {
      numHeads: merged.numHeads,
      numPositions,
      width,
      position: whole,
      feature: 1,
      of: (item, head) => (ownItems === 1 ? 0 : item) * numPositions * whole + (merged.first + head) * width,
    };
  }
  const [own, features] = [positionAxis, featureAxis].map((axis) => (axis < 0 ? rank + axis : axis));
  if (own < 0 || features < 0 || own >= rank || features >= rank || own === features) return undefined;
  const steps = dims.map((_, axis) => dims.slice(axis + 1).reduce((product, dim) => product * dim, 1));
  const leading = [...dims.keys()].filter((axis) => axis !== own && axis !== features);
  const count = leading.reduce((product, axis) => product * dims[axis], 1);
  const numOwn = itemsAndHeads(count, { batch, numHeads });
  if (numOwn === undefined) return undefined;
  const [ownItems, ownHeads] = numOwn;
  return {
    numHeads: ownHeads,
    numPositions: dims[own],
    width: dims[features],
    position: steps[own],
    feature: steps[features],
    of: (item, head) => {
      let rest = (ownItems === 1 ? 0 : item) * ownHeads + head;
      let at = 0;
      for (const axis of [...leading].reverse()) {
        at += (rest % dims[axis]) * steps[axis];
        rest = Math.floor(rest / dims[axis]);
      }
      return at;
    },
  };
}
