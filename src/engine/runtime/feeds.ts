import type * as Ort from 'onnxruntime-common';
import type { DataTypeName } from '../../onnx/file/dataType';
import type { ModelInput, TensorData } from '../../onnx/inputs/inputs';

/** A tensor that a run gave: one of the model's own outputs. */
export interface OutputTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: TensorData | readonly string[];
}

/** The runtime's tensor of an input. */
export function toTensor(ort: { readonly Tensor: typeof Ort.Tensor }, input: ModelInput): Ort.Tensor {
  // The constructor's overloads tie each type to its array; the pairs are those of allocate().
  return new ort.Tensor(
    input.type as Ort.Tensor.Type,
    halfFloats(input.type, input.data) as Ort.Tensor.DataTypeMap[Ort.Tensor.Type],
    input.dims,
  ); // see above
}

/** Half-precision values as the runtime of this host wants them: `Float16Array` where there is one, else their bits. */
function halfFloats(type: DataTypeName, data: TensorData): TensorData {
  const { Float16Array } = globalThis as {
    Float16Array?: new (buffer: ArrayBufferLike, offset: number, length: number) => TensorData;
  }; // newer than the language level of this code
  return type === 'float16' && Float16Array !== undefined
    ? new Float16Array(data.buffer, data.byteOffset, data.length)
    : data;
}

/** The values of a tensor of floats, also of half-precision ones; undefined for any other. */
export function toFloats({ type, data }: OutputTensor): Float32Array | undefined {
  if (data instanceof Float32Array) return data;
  return type === 'float16' && data instanceof Uint16Array ? Float32Array.from(data, halfToNumber) : undefined;
}

/** The number that bits of IEEE 754 binary16 stand for. */
export function halfToNumber(bits: number): number {
  const sign = bits >= 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return exponent === 0x1f
    ? fraction === 0
      ? sign * Infinity
      : NaN
    : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** A run's tensor as plain data; half-precision values as their bits. */
export function fromTensor(tensor: Ort.Tensor): OutputTensor {
  const data = tensor.data;
  if (Array.isArray(data)) return { type: tensor.type, dims: tensor.dims, data }; // only string tensors hold arrays
  const values: TensorData = data; // all other tensors hold typed arrays
  return {
    type: tensor.type,
    dims: tensor.dims,
    data: tensor.type === 'float16' ? new Uint16Array(values.buffer, values.byteOffset, values.length) : values,
  };
}

/** The bits of a number as a half-precision float, rounded to even. */
export function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (!(size < 65520)) return sign | (Number.isNaN(value) ? 0x7e00 : 0x7c00);
  // Below 2⁻¹⁴ numbers lie 2⁻²⁴ apart; above, 2¹⁰ to an octave. A mantissa that rounds up to the next octave carries into the exponent by itself.
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const steps = roundEven(size / 2 ** (exponent - 10));
  return sign | (size < 2 ** -14 ? steps : ((exponent + 15) << 10) + steps - 1024);
}

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** Those of a run's tensors that are named, as far as it gave them. */
export function pickOutputs(
  results: Readonly<Record<string, Ort.Tensor | undefined>>,
  names: readonly string[],
): Map<string, OutputTensor> {
  const outputs = new Map<string, OutputTensor>();
  for (const name of names) {
    const tensor = results[name];
    if (tensor !== undefined) outputs.set(name, fromTensor(tensor));
  }
  return outputs;
}
