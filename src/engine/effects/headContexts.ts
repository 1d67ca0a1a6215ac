import type * as Ort from 'onnxruntime-common';
import type { HeadTensor } from '../../onnx/name/taps';
import { fromTensor, toFloats } from '../runtime/feeds';
import type { OrtModule } from '../runtime/runtime';
import { stridesOf, type HeadRows } from '../weights/headTensors';
import type { SiteWeights } from '../weights/layerWeights';
import type { Silencing } from '../../model/effects/effects';
import { repeated } from './batching';

/** Cells that a head does not read along; positions are those of the layer's queries and keys, with padding. */
interface BlockedPlaces {
  readonly query: number | undefined;
  readonly key: number | undefined;
  readonly isRenormalized: boolean;
}

/** What is done to a head of one layer, in the order in which it is. */
export interface HeadChange {
  readonly head: number;
  readonly silent?: Silencing;
  readonly blocked?: BlockedPlaces;
  /** Whether it hands on what it has read in the other text. */
  readonly isSwapped?: boolean;
}

/** One layer whose heads are changed. */
export interface LayerFacts {
  readonly contexts: readonly HeadTensor[];
  readonly numHeads: number;
  /** Copies of each item that the file takes. */
  readonly numCopies: number;
  /** Positions of the text's own queries: from the first, up to the one behind the last. */
  readonly queries: readonly [from: number, to: number];
  /** What the rows of weights sum to by design. */
  readonly rowSum: 'one' | 'atMostOne' | 'any';
}

/** What cells are blocked in: the weights of the layer, and what they weight. */
export interface ReadAlong {
  readonly weights: SiteWeights;
  readonly values: HeadRows;
}

/** How far values weighted by weights may lie from what a head has read, by the largest. */
const tolerance = 2e-3;

/**
 * What heads have read, with changes: of each item of a batch its own. Tensors of one item become those of all.
 * Returns, in a clause, why what is asked for cannot be done.
 */
export function changedContexts(
  ort: OrtModule,
  facts: LayerFacts,
  read: {
    readonly tensors: readonly Ort.Tensor[];
    readonly along: ReadAlong | undefined;
    /** The same tensors in the run of the other text, where heads are swapped. */
    readonly others?: readonly Ort.Tensor[] | undefined;
  },
  items: readonly (readonly HeadChange[])[],
): ReadonlyMap<string, Ort.Tensor> | string {
  const { tensors, along, others } = read;
  const result = new Map<string, Ort.Tensor>();
  for (const [part, how] of facts.contexts.entries()) {
    const whole = items.length === 1 ? tensors[part] : repeated(ort, tensors[part], 0, items.length);
    const data = toFloats(fromTensor(whole))?.slice();
    if (data === undefined) return 'what its heads read is rounded to few bits';
    const isOne = facts.contexts.length > 1;
    const batch = items.length * facts.numCopies;
    const strides = stridesOf(whole.dims, how, { batch, numHeads: isOne ? 1 : facts.numHeads });
    if (strides === undefined || (!isOne && strides.numHeads !== facts.numHeads))
      return 'what its heads read is not laid out in a way that is known';
    const other = others === undefined ? undefined : otherRows(others[part], tensors[part], how, facts);
    if (typeof other === 'string') return other;
    for (const [item, changes] of items.entries())
      for (const head of new Set(changes.map((change) => change.head))) {
        if (isOne && head !== part) continue;
        const own = changes.filter((change) => change.head === head);
        for (let copy = 0; copy < facts.numCopies; copy++) {
          const at = strides.of(item * facts.numCopies + copy, isOne ? 0 : head);
          const rows = { data, at, ...strides };
          const failure = change(rows, own, facts, { along, other: other?.(copy, isOne ? 0 : head) });
          if (failure !== undefined) return failure;
        }
      }
    result.set(how.tensor, withFloats(ort, whole, data));
  }
  return result;
}

/** Rows of one head in a tensor. */
interface Rows {
  readonly data: Float32Array;
  readonly at: number;
  readonly position: number;
  readonly feature: number;
  readonly width: number;
  readonly numPositions: number;
}

/** Gives the rows of a head in the run of the other text, which is one item; in a clause, why it has none. */
function otherRows(
  tensor: Ort.Tensor | undefined,
  own: Ort.Tensor,
  how: HeadTensor,
  { numCopies, numHeads, contexts }: LayerFacts,
): ((copy: number, head: number) => Rows) | string {
  if (tensor === undefined || tensor.dims.join() !== own.dims.join())
    return 'what its heads read in the other text is not as large';
  const data = toFloats(fromTensor(tensor));
  const strides = stridesOf(tensor.dims, how, { batch: numCopies, numHeads: contexts.length > 1 ? 1 : numHeads });
  if (data === undefined || strides === undefined) return 'what its heads read is rounded to few bits';
  return (copy, head) => ({ data, at: strides.of(copy, head), ...strides });
}

/** Puts rows of the other text in the place of those of a head. */
function swap(rows: Rows, other: Rows): void {
  for (let position = 0; position < rows.numPositions; position++)
    for (let i = 0; i < rows.width; i++)
      rows.data[rows.at + position * rows.position + i * rows.feature] =
        other.data[other.at + position * other.position + i * other.feature];
}

/** Makes the changes of one head: blocked cells first, then what is put in the place of all that it reads, in order. */
function change(
  rows: Rows,
  changes: readonly HeadChange[],
  facts: LayerFacts,
  { along, other }: { readonly along: ReadAlong | undefined; readonly other: Rows | undefined },
): string | undefined {
  const blocked = changes.flatMap((each) => each.blocked ?? []);
  const failure = blocked.length === 0 ? undefined : block(rows, blocked, changes[0].head, { facts, along });
  if (failure !== undefined) return failure;
  for (const { silent, isSwapped } of changes)
    if (silent !== undefined) silence(rows, silent, facts);
    else if (isSwapped === true) {
      if (other === undefined) return 'what its heads read in the other text did not come out';
      swap(rows, other);
    }
  return undefined;
}

function silence({ data, at, position, feature, width, numPositions }: Rows, by: Silencing, facts: LayerFacts): void {
  const [from, to] = facts.queries;
  for (let i = 0; i < width; i++) {
    const first = at + i * feature;
    let mean = 0;
    if (by === 'mean') {
      for (let query = from; query < to; query++) mean += data[first + query * position];
      mean /= to - from;
    }
    for (let query = 0; query < numPositions; query++) data[first + query * position] = mean;
  }
}

/** Weighs the values of the rows that have blocked cells anew. */
function block(
  { data, at, position, feature, width }: Rows,
  own: readonly BlockedPlaces[],
  head: number,
  { facts, along }: { readonly facts: LayerFacts; readonly along: ReadAlong | undefined },
): string | undefined {
  if (along === undefined) return 'its weights are not there to be changed';
  const { weights, values } = along;
  const { numQueries, numKeys } = weights;
  const rows = new Set(own.flatMap(({ query }) => query ?? Array.from({ length: numQueries }, (_, i) => i)));
  const sums = new Float64Array(width);
  for (const query of rows) {
    const start = (head * numQueries + query) * numKeys;
    const row = Float64Array.from(weights.weights.subarray(start, start + numKeys));
    weigh(row, values, head, sums);
    let scale = 0;
    for (let i = 0; i < width; i++) scale = Math.max(scale, Math.abs(data[at + query * position + i * feature]));
    for (let i = 0; i < width; i++)
      if (Math.abs(sums[i] - data[at + query * position + i * feature]) > tolerance * Math.max(scale, 1e-6))
        return 'values weighted by its weights are not what its heads have read';
    for (const each of own) if (each.query === undefined || each.query === query) blockIn(row, each, facts.rowSum);
    weigh(row, values, head, sums);
    for (let i = 0; i < width; i++) data[at + query * position + i * feature] = sums[i];
  }
  return undefined;
}

function blockIn(row: Float64Array, { key, isRenormalized }: BlockedPlaces, rowSum: LayerFacts['rowSum']): void {
  const before = sumOf(row);
  const blocked = key === undefined ? before : row[key];
  if (key === undefined) row.fill(0);
  else row[key] = 0;
  const left = sumOf(row);
  if (!isRenormalized || left === 0 || blocked === 0) return;
  // A sink takes its share of what is set free, as when the score is masked before the softmax.
  const factor = rowSum === 'one' ? before / left : 1 / (1 - blocked);
  for (let i = 0; i < row.length; i++) row[i] *= factor;
}

const sumOf = (row: Float64Array): number => row.reduce((sum, weight) => sum + weight, 0);

function weigh(row: Float64Array, { data, numPositions, width }: HeadRows, head: number, sums: Float64Array): void {
  sums.fill(0);
  row.forEach((weight, key) => {
    if (weight === 0) return;
    const from = (head * numPositions + key) * width;
    for (let i = 0; i < width; i++) sums[i] += weight * data[from + i];
  });
}

/** A tensor like another, of other numbers. */
export function withFloats(ort: OrtModule, { type, dims, data }: Ort.Tensor, floats: Float32Array): Ort.Tensor {
  if (type === 'float32') return new ort.Tensor('float32', floats, dims);
  // Half precision: bits, or numbers where the language has them.
  const made = data instanceof Uint16Array ? Uint16Array.from(floats, numberToHalf) : halves(data, floats);
  return new ort.Tensor(type, made as never, dims);
}

function halves(like: Ort.Tensor['data'], floats: Float32Array): ArrayLike<number> {
  const made = (like as Float32Array).slice(); // a Float16Array, which this level of the language does not name
  made.set(floats);
  return made;
}

const word = new DataView(new ArrayBuffer(4));

/** The bits of IEEE 754 binary16 that are nearest to a number, ties to even. */
function numberToHalf(value: number): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return sign | 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  // Below the least normal number steps are 2⁻²⁴ wide.
  const exponent = Math.max(Math.floor(Math.log2(magnitude || 2 ** -24)), -14);
  const steps = magnitude / 2 ** (exponent - 10);
  const floor = Math.floor(steps);
  const rest = steps - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  return sign | (exponent === -14 ? rounded : ((exponent + 14) << 10) + rounded);
}
