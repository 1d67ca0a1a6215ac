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

/** Where a cell of a layer of windows stands in its matrices. */
export interface CellWindow {
  /** The matrix of each head, of so many in all. */
  readonly matrices: readonly number[];
  readonly numMatrices: number;
  /** The row and the column in the window. */
  readonly query: number;
  readonly key: number;
  /** The token of each of its columns; −1 for padding. */
  readonly keys: readonly number[];
}

/** What a run of the tapped model gave for one cell, read head by head. */
export class CellTensors {
  readonly #tensors: ReadonlyMap<string, OutputTensor>;
  /** The cell's matrix: that of its head, or of its head in its window. */
  readonly #matrix: number;
  readonly #window: CellWindow | undefined;
  #leading: readonly number[] | undefined;

  constructor(
    tensors: ReadonlyMap<string, OutputTensor>,
    {
      head,
      window,
    }: {
      readonly head: number;
      readonly window: CellWindow | undefined;
    },
  ) {
    this.#tensors = tensors;
    this.#matrix = window?.matrices[head] ?? head;
    this.#window = window;
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
    return { dims: tensor.dims, values };
  }

  /** What a head has of a tensor of which one row, or one column, was taken. Throws a RangeError where its heads are not told apart. */
  ofHead(what: string): Float32Array | undefined {
    const found = this.whole(what);
    if (found === undefined) return undefined;
    const { dims, values } = found;
    const size = (dims.at(-1) ?? 1) * (dims.at(-2) ?? 1);
    const matrix = matrixOfHead(trimmed(dims.slice(0, -2)), this.#axes(), this.#matrix);
    return values.slice(matrix * size, (matrix + 1) * size);
  }

  /** … of what belongs to no head: the first item of a batch, or that of the cell's window; undefined where it is not laid out by windows. */
  shared(what: string): Float32Array | undefined {
    const found = this.whole(what);
    if (found === undefined) return undefined;
    const size = (found.dims.at(-1) ?? 1) * (found.dims.at(-2) ?? 1);
    const { length } = found.values;
    if (this.#window === undefined || length === 1) return found.values.slice(0, size);
    return length / size === this.#numWindows ? this.ofItem(what) : undefined;
  }

  /** All heads' numbers of the first item, and what stands behind them, or those of the cell's window; undefined where windows are no items. */
  ofItem(what: string): Float32Array | undefined {
    const values = this.whole(what)?.values;
    if (values === undefined || this.#window === undefined) return values;
    const { matrices } = this.#window;
    const item = matrices[0] / matrices.length;
    const areItems = matrices.every((matrix, head) => matrix === item * matrices.length + head);
    const size = values.length / this.#numWindows;
    // Of one window alone, the order of whose rows is not that of the tokens, nothing tells which order a tensor has.
    if (!areItems || this.#numWindows === 1 || !Number.isInteger(size)) return undefined;
    return values.slice(item * size, (item + 1) * size);
  }

  /** Of numbers that stand behind each other, so many at a time, those at one place; those that there are where they are for all places. */
  part(what: string, position: number, length: number): Float32Array | undefined {
    const found = this.whole(what);
    if (found === undefined) return undefined;
    const at = found.values.length === length ? 0 : position;
    return found.values.slice(at * length, (at + 1) * length);
  }

  /** Rows of queries, keys or values, all heads of the first item or of the cell's window; undefined where the tensor is of another shape. */
  rows(what: string, how: HeadTensor, numHeads: number): HeadRows | undefined {
    const tensor = this.#tensors.get(what);
    if (tensor === undefined) return undefined;
    if (this.#window !== undefined) return windowRows(tensor, how, this.#window);
    const weights = this.#tensors.get('weights')?.dims.slice(0, -2) ?? [];
    const batch = weights.reduce((product, dim) => product * dim, 1) / numHeads;
    const found = arrangeHeads(tensor, how, { batch: Number.isInteger(batch) && batch > 0 ? batch : 1, numHeads });
    return typeof found === 'string' ? undefined : found;
  }

  /** A head's features at one position of an operand with all positions, of which axis is that of positions; the only one where there is one for all. */
  operand(what: string, axis: -1 | -2, position: number): Float32Array | undefined {
    const found = this.whole(what);
    if (found === undefined || found.dims.length < 2) return found?.values;
    const { dims, values } = found;
    const [rows, columns] = dims.slice(-2);
    const own = trimmed(dims.slice(0, -2));
    const leading = trimmed(this.#tensors.get('weights')?.dims.slice(0, -2) ?? []);
    const from = matrixOfHead(own, leading, this.#matrix) * rows * columns;
    const isTurned = axis === -1;
    const at = position % (isTurned ? columns : rows);
    return Float32Array.from({ length: isTurned ? rows : columns }, (_, i) =>
      isTurned ? values[from + i * columns + at] : values[from + at * columns + i],
    );
  }

  /** The scores that an operator gives for the row of the weights. */
  scoresOf(weights: Float32Array, isZeroWhereMasked: boolean): Float32Array | undefined {
    const row = this.ofHead('scores');
    if (row?.length !== weights.length) return undefined;
    return isZeroWhereMasked ? row.map((score, i) => (score === 0 && weights[i] === 0 ? -Infinity : score)) : row;
  }

  get #numWindows(): number {
    return this.#window === undefined ? 1 : this.#window.numMatrices / this.#window.matrices.length;
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

/** Rows of the heads of one window, whose matrices stand among those of all windows; undefined where they are not told apart. */
function windowRows(
  tensor: OutputTensor,
  how: HeadTensor,
  { matrices, numMatrices }: CellWindow,
): HeadRows | undefined {
  if (how.merged !== undefined) return undefined;
  const all = arrangeHeads(tensor, how, { batch: 1, numHeads: numMatrices });
  if (typeof all === 'string') return undefined;
  const { numPositions, width } = all;
  const size = numPositions * width;
  const data = new Float32Array(matrices.length * size);
  matrices.forEach((matrix, head) => {
    data.set(all.data.subarray(matrix * size, (matrix + 1) * size), head * size);
  });
  return { batch: 1, numHeads: matrices.length, numPositions, width, data };
}

/** Axes without those of length one at their start, which were put there. */
function trimmed(axes: readonly number[]): readonly number[] {
  const first = axes.findIndex((dim) => dim !== 1);
  return first < 0 ? [] : axes.slice(first);
}
