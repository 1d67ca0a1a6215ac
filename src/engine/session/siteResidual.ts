import type { ResidualTaps } from '../../onnx/name/taps';
import type { OutputTensor } from '../runtime/feeds';
import { toFloats } from '../runtime/feeds';
import type { LayerWeights } from '../stages/layerRun';
import type { PlacedRows } from './rowPlaces';
import { branchNumbers, type BranchNumbers } from './siteBranch';

/** The tokens before an attention, and the norm behind the sum. */
export interface ResidualNumbers {
  readonly width: number;
  /** `stream[query * width + feature]`. */
  readonly stream: Float32Array;
  /** Whether these are the tokens that are read; else those that read, of another text. */
  readonly isOfKeys: boolean;
  /** What stands between the projection and the sum; undefined where nothing does. */
  readonly branch: BranchNumbers | undefined;
  readonly norm: NormNumbers | string;
}

/** What a norm does to a part of what it is given: the part less its mean, times γ, divided by the deviation of the whole. */
interface NormNumbers {
  /** γ, [width]. */
  readonly scale: Float32Array;
  /** √(var + ε) of each query's sum. */
  readonly deviations: Float32Array;
}

/** What single precision leaves between a norm and what is computed anew of it, as a part of the largest number; and what half precision or bytes may leave. */
const tolerance = 2e-4;
const coarseTolerance = 0.15;
const notGiven = 'what the attention is added to did not come out of the run';

/**
 * The numbers of a layer's residual sum, of the first item; a norm is proven by what it gave. Otherwise, in a clause, why they cannot be had.
 * @param placed where tokens stand in tensors, where their rows are not in the tokens' order.
 */
export function residualNumbers(
  taps: ResidualTaps | string,
  { batch, numQueries, numKeys }: Pick<LayerWeights, 'batch' | 'numQueries' | 'numKeys'>,
  {
    extras,
    isCoarse,
    placed,
  }: {
    readonly extras: ReadonlyMap<string, OutputTensor>;
    readonly isCoarse: boolean;
    readonly placed: PlacedRows | string | undefined;
  },
): ResidualNumbers | string {
  if (typeof taps === 'string') return taps;
  if (typeof placed === 'string') return placed;
  const unplaced = placed?.rowsOf(taps.origins.get(taps.stream) ?? taps.stream);
  if (typeof unplaced === 'string') return unplaced;
  if (taps.isOfKeys && (numQueries !== numKeys || placed?.isOfOneGrid === false))
    return 'its queries and keys are not the same tokens';
  const rowsOf = (name: string): { readonly width: number; readonly data: Float32Array } | undefined => {
    const tensor = extras.get(name);
    const data = tensor && toFloats(tensor);
    const width = tensor?.dims.at(-1) ?? 0;
    if (placed !== undefined) {
      const rows = placed.rowsOf(taps.origins.get(name) ?? name);
      return data === undefined || typeof rows === 'string' ? undefined : { width, data: gathered(data, rows, width) };
    }
    const numRows = (data?.length ?? 0) / (batch * width);
    const isBatchSecond = batch > 1 && tensor?.dims[0] !== batch;
    return data === undefined || numRows < numQueries || isBatchSecond
      ? undefined
      : { width, data: data.subarray(0, numQueries * width) };
  };
  const stream = rowsOf(taps.stream);
  if (stream === undefined) return notGiven;
  const { width } = stream;
  const norm = (): NormNumbers | string => {
    if (typeof taps.norm === 'string') return taps.norm;
    const [sum, output] = [rowsOf(taps.norm.sum), rowsOf(taps.norm.output)];
    if (sum?.width !== width || output?.width !== width) return notGiven;
    const weight = (name: string | undefined, otherwise: number): Float32Array | undefined =>
      name === undefined ? new Float32Array(width).fill(otherwise) : spread(extras.get(name), width);
    const [scale, shift] = [weight(taps.norm.scale, 1), weight(taps.norm.shift, 0)];
    const epsilon =
      typeof taps.norm.epsilon === 'number' ? taps.norm.epsilon : spread(extras.get(taps.norm.epsilon), 1)?.[0];
    if (scale === undefined || shift === undefined || epsilon === undefined)
      return 'the weights of the norm did not come out';
    return proven({ sum: sum.data, output: output.data, scale, shift, epsilon }, isCoarse);
  };
  const rows = (name: string): Float32Array | undefined => {
    const found = rowsOf(name);
    return found?.width === width ? found.data : undefined;
  };
  const branch =
    taps.branch === undefined
      ? undefined
      : branchNumbers(
          taps.branch,
          { width, numQueries, rows, spread: (name) => spread(extras.get(name), width) },
          isCoarse ? coarseTolerance : tolerance,
        );
  if (typeof branch === 'string') return branch;
  return { width, stream: stream.data, isOfKeys: taps.isOfKeys, branch, norm: norm() };
}

/** Rows of a tensor, one for each of these. */
function gathered(data: Float32Array, rows: Int32Array, width: number): Float32Array {
  const result = new Float32Array(rows.length * width);
  rows.forEach((row, at) => {
    result.set(data.subarray(row * width, (row + 1) * width), at * width);
  });
  return result;
}

/** A weight of so many numbers, or of one for all. */
function spread(tensor: OutputTensor | undefined, width: number): Float32Array | undefined {
  const data = tensor && toFloats(tensor);
  if (data?.length === width) return data;
  return data?.length === 1 ? new Float32Array(width).fill(data[0]) : undefined;
}

function proven(
  {
    sum,
    output,
    scale,
    shift,
    epsilon,
  }: Readonly<Record<'sum' | 'output' | 'scale' | 'shift', Float32Array>> & { readonly epsilon: number },
  isCoarse: boolean,
): NormNumbers | string {
  const width = scale.length;
  const deviations = new Float32Array(sum.length / width);
  let [largest, most] = [0, 0];
  deviations.forEach((_, query) => {
    const row = sum.subarray(query * width, (query + 1) * width);
    const mean = row.reduce((total, value) => total + value, 0) / width;
    const variance = row.reduce((total, value) => total + (value - mean) ** 2, 0) / width;
    deviations[query] = Math.sqrt(variance + epsilon);
    for (let i = 0; i < width; i++) {
      const given = output[query * width + i];
      const own = ((row[i] - mean) / deviations[query]) * scale[i] + shift[i];
      const difference = Math.abs(given - own);
      if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
      most = Math.max(most, Math.abs(given));
    }
  });
  return largest <= most * (isCoarse ? coarseTolerance : tolerance)
    ? { scale, deviations }
    : 'the norm behind it gives something else than its weights say';
}

/** Rows as a norm has them before it divides: less their mean, times γ; [row, width]. */
export function centred(rows: Float32Array, scale: Float32Array): Float32Array<ArrayBuffer> {
  const width = scale.length;
  const result = new Float32Array(rows.length);
  for (let start = 0; start < rows.length; start += width) {
    let mean = 0;
    for (let i = 0; i < width; i++) mean += rows[start + i] / width;
    for (let i = 0; i < width; i++) result[start + i] = (rows[start + i] - mean) * scale[i];
  }
  return result;
}
