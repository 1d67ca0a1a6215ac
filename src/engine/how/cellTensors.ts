import { toFloats, type OutputTensor } from '../runtime/feeds';
import type { HeadTensor } from '../../onnx/name/taps';
import { broadcastAxes, matrixOfHead } from '../weights/headMatrix';
import { arrangeHeads, type HeadRows } from '../weights/headTensors';

/** The numbers of a tensor, whatever their type. */
function numbersOf(tensor: OutputTensor): Float32Array | undefined {
  const floats = toFloats(tensor);
  if (floats !== undefined) return floats;
  const { data, type } = tensor;
  if (Array.isArray(data) || type === 'float16') return undefined;
  return Float32Array.from(data as ArrayLike<number | bigint>, Number); // lists of texts are ruled out above
}

/** What a run of the tapped model gave for one cell, read head by head. */
export class CellTensors {
  readonly #tensors: ReadonlyMap<string, OutputTensor>;
  readonly #head: number;
  /** Which iteration of a loop the cell is in; undefined outside of loops. */
  readonly #iteration: number | undefined;
  #leading: readonly number[] | undefined;

  constructor(tensors: ReadonlyMap<string, OutputTensor>, head: number, iteration: number | undefined) {
    this.#tensors = tensors;
    this.#head = head;
    this.#iteration = iteration;
  }

  /** Whether any of the numbers are held in half precision. */
  get isHalf(): boolean {
    return [...this.#tensors.values()].some(({ type }) => type === 'float16' || type === 'bfloat16');
  }

  /** Matrices of weights: of each head, and of each window or item where there are several. */
  get numMatrices(): number {
    return (this.#tensors.get('weights')?.dims.slice(0, -2) ?? []).reduce((product, dim) => product * dim, 1);
  }

  has(what: string): boolean {
    return this.#tensors.has(what);
  }

  /** A tensor as it is, with its shape. */
  whole(what: string): { readonly dims: readonly number[]; readonly values: Float32Array } | undefined {
    const tensor = this.#tensors.get(what);
    const values = tensor && numbersOf(tensor);
    if (tensor === undefined || values === undefined) return undefined;
    if (this.#iteration === undefined) return { dims: tensor.dims, values };
    const dims = tensor.dims.slice(1);
    const size = dims.reduce((product, dim) => product * dim, 1);
    return { dims, values: values.subarray(this.#iteration * size, (this.#iteration + 1) * size) };
  }

  /** What a head has of a tensor of which one row, or one column, was taken. Throws a RangeError where its heads are not told apart. */
  ofHead(what: string): Float32Array | undefined {
    const found = this.whole(what);
    if (found === undefined) return undefined;
    const { dims, values } = found;
    const size = (dims.at(-1) ?? 1) * (dims.at(-2) ?? 1);
    const matrix = matrixOfHead(trimmed(dims.slice(0, -2)), this.#axes(), this.#head);
    return values.slice(matrix * size, (matrix + 1) * size);
  }

  /** … of what belongs to no head: the first item of a batch. */
  shared(what: string): Float32Array | undefined {
    const found = this.whole(what);
    return found?.values.slice(0, (found.dims.at(-1) ?? 1) * (found.dims.at(-2) ?? 1));
  }

  /** Of numbers that stand behind each other, so many at a time, those at one place; those that there are where they are for all places. */
  part(what: string, position: number, length: number): Float32Array | undefined {
    const found = this.whole(what);
    if (found === undefined) return undefined;
    const at = found.values.length === length ? 0 : position;
    return found.values.slice(at * length, (at + 1) * length);
  }

  /** Rows of queries, keys or values, all heads of the first item; undefined where the tensor is of another shape. */
  rows(what: string, how: HeadTensor, numHeads: number): HeadRows | undefined {
    const tensor = this.#tensors.get(what);
    if (tensor === undefined) return undefined;
    const weights = this.#tensors.get('weights')?.dims.slice(0, -2) ?? [];
    const batch = weights.reduce((product, dim) => product * dim, 1) / numHeads;
    const found = arrangeHeads(tensor, how, { batch: Number.isInteger(batch) && batch > 0 ? batch : 1, numHeads });
    return typeof found === 'string' ? undefined : found;
  }

  /** The scores that an operator gives for the row of the weights. */
  scoresOf(weights: Float32Array, isZeroWhereMasked: boolean): Float32Array | undefined {
    const row = this.ofHead('scores');
    if (row?.length !== weights.length) return undefined;
    return isZeroWhereMasked ? row.map((score, i) => (score === 0 && weights[i] === 0 ? -Infinity : score)) : row;
  }

  /** The axes of scores before the last two: those that queries and keys have together. */
  #axes(): readonly number[] {
    if (this.#tensors.has('vector') || !this.#isRowOf('query') || !this.#isRowOf('key'))
      return trimmed(this.#tensors.get('weights')?.dims.slice(0, -2) ?? []);
    this.#leading ??= broadcastAxes(
      trimmed(this.#tensors.get('query')?.dims.slice(0, -2) ?? []),
      trimmed(this.#tensors.get('key')?.dims.slice(0, -2) ?? []),
    );
    const weights = trimmed(this.#tensors.get('weights')?.dims.slice(0, -2) ?? []);
    const count = (axes: readonly number[]): number => axes.reduce((product, dim) => product * dim, 1);
    return count(this.#leading) === count(weights) ? this.#leading : weights;
  }

  /** Whether of a tensor one row or column was taken: then the axes before are those of heads. */
  #isRowOf(what: string): boolean {
    const dims = this.#tensors.get(what)?.dims ?? [];
    return dims.length > 3 && dims.slice(-2).includes(1) && dims[0] === 1 && dims[1] === 1;
  }
}

/** Axes without those of length one at their start, which were put there. */
function trimmed(axes: readonly number[]): readonly number[] {
  const first = axes.findIndex((dim) => dim !== 1);
  return first < 0 ? [] : axes.slice(first);
}
