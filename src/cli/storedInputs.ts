import { ExplorerError } from '../base/errors';
import { allocate, type ModelInput } from '../onnx/inputs/inputs';
import { dataTypeName, type DataTypeName } from '../onnx/file/dataType';
import type { GraphIndex } from '../onnx/graph/graphIndex';
import type { StoredTensor } from './safetensors';

const typeNames = new Map<string, DataTypeName>([
  ['F64', 'float64'],
  ['I64', 'int64'],
  ['U64', 'uint64'],
  ['F32', 'float32'],
  ['I32', 'int32'],
  ['U32', 'uint32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I16', 'int16'],
  ['U16', 'uint16'],
  ['I8', 'int8'],
  ['U8', 'uint8'],
  ['BOOL', 'bool'],
]);

/** The tensors of a feeds file as inputs of a model; 64-bit integers become 32-bit ones (and the reverse) where the model wants them. */
export function toModelInputs(index: GraphIndex, stored: ReadonlyMap<string, StoredTensor>): ModelInput[] {
  return index.inputs.flatMap((input) => {
    const tensor = stored.get(`in.${input.name}`);
    if (tensor === undefined) return [];
    const from = typeNames.get(tensor.dtype);
    const to = dataTypeName(input.dataType) ?? from;
    if (from === undefined || to === undefined)
      throw new ExplorerError('invalidArgument', [`in.${input.name}`, `its type ${tensor.dtype} is not known`]);
    const count = tensor.shape.reduce((product, dim) => product * dim, 1);
    const data = allocate(from, count);
    new Uint8Array(data.buffer).set(tensor.data);
    if (from === to) return [{ name: input.name, type: to, dims: tensor.shape, data }];
    const isInteger = (type: DataTypeName): boolean => /^u?int(?:32|64)$|^bool$/.test(type);
    if (!isInteger(from) || !isInteger(to))
      throw new ExplorerError('invalidArgument', [`in.${input.name}`, `it is ${from} and the model wants ${to}`]);
    const converted = allocate(to, count);
    for (let i = 0; i < count; i++) {
      if (converted instanceof BigInt64Array || converted instanceof BigUint64Array) converted[i] = BigInt(data[i]);
      else converted[i] = Number(data[i]);
    }
    return [{ name: input.name, type: to, dims: tensor.shape, data: converted }];
  });
}

/** The bytes of floats, little-endian as every host of this code is. */
export function floatBytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
